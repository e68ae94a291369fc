'use strict';

// Makes JavaScript of pages: reads {name: TypeScript} and writes {name: JavaScript}.

const { readFileSync } = require('node:fs');
const ts = require('typescript');

const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  jsx: ts.JsxEmit.React,
  jsxFactory: 'h',
};

const pages = JSON.parse(readFileSync(0, 'utf8'));
for (const [name, text] of Object.entries(pages)) {
  const out = ts.transpileModule(text, { compilerOptions, reportDiagnostics: true, fileName: `${name}.tsx` });
  for (const d of out.diagnostics) {
    const { line } = d.file.getLineAndCharacterOfPosition(d.start);
    console.error(`${name}, line ${line + 1}: ${ts.flattenDiagnosticMessageText(d.messageText, '\n')}`);
    process.exitCode = 1;
  }
  pages[name] = out.outputText;
}
process.stdout.write(JSON.stringify(pages));
