'use strict';

// The app around a sample of Express: it listens on a free port and says which.

const express = require('express');

const app = express();
app.use(express.json());
require('node:vm').runInThisContext(`(app) => {\n${require('node:fs').readFileSync(process.argv[2], 'utf8')}\n}`)(app);
const server = app.listen(0, '127.0.0.1', () => console.log(`running on http://127.0.0.1:${server.address().port}`));
