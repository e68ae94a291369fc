'use strict';

// Checks the types of a TypeScript program from standard input, as tsc --strict
// does, and writes what is wrong with it.

const { readFileSync } = require('node:fs');
const ts = require('typescript');

const name = 'program.ts';
const text = readFileSync(0, 'utf8');
const options = {
  strict: true,
  noEmit: true,
  skipDefaultLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  types: [],
};
const host = ts.createCompilerHost(options);
const onDisk = host.getSourceFile.bind(host);
host.getSourceFile = (file, ...rest) =>
  file === name ? ts.createSourceFile(file, text, ...rest) : onDisk(file, ...rest);

for (const d of ts.getPreEmitDiagnostics(ts.createProgram([name], options, host))) {
  const line = d.file ? text.split('\n')[d.file.getLineAndCharacterOfPosition(d.start).line] : '';
  console.log(`${ts.flattenDiagnosticMessageText(d.messageText, '\n')}: ${line}`);
  process.exitCode = 1;
}
