#!/usr/bin/env node
import { runCli } from './cli/cli.js';
import { keepHeapBetweenBursts } from './util/gc.js';

keepHeapBetweenBursts();

process.exitCode = await runCli(process.argv.slice(2));
