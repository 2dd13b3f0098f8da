#!/usr/bin/env node
import { runCli } from './cli/cli.js';
import { collectLessOften } from './util/gc.js';

collectLessOften();

process.exitCode = await runCli(process.argv.slice(2));
