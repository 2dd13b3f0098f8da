import './style/base.css';
import './style/parts.css';
import 'uplot/dist/uPlot.min.css';
import './style/explore.css';
import './style/views.css';
import { render } from 'preact';
import { App } from './app.js';

render(<App />, document.getElementById('page')!);
