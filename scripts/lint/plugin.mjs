/** This project's own lint rules, as a plugin for oxlint. */
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whyNot } from './parts.mjs';

/** @typedef {any} Node a node of the syntax tree; oxlint gives no types for it */
/** @typedef {{ filename: string, sourceCode: Node, report: (found: { node: Node, message: string }) => void }} Context */

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** @param {string} path */
const fromRoot = (path) => relative(root, path).split(sep).join('/');

/** @param {Node} node the specifier of an import */
const specifierOf = (node) => {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TSLiteralType') return specifierOf(node.literal);
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0].value.cooked;
  return undefined;
};

/** Imports that point against the direction of the layout, in every form: types, re-exports, import() and require too. */
const importDirection = {
  /** @param {Context} context */
  create(context) {
    const file = fromRoot(context.filename);
    /** @param {Node} node @param {Node} source */
    const look = (node, source) => {
      const specifier = specifierOf(source);
      if (specifier === undefined) return;
      const isPackage = !/^(\.|\/|file:)/.test(specifier);
      const path = specifier.startsWith('file:') ? fileURLToPath(specifier) : resolve(dirname(context.filename), specifier);
      const message = whyNot(file, isPackage ? specifier : fromRoot(path), isPackage);
      if (message !== undefined) context.report({ node, message });
    };
    return {
      /** @param {Node} node */
      ImportDeclaration: (node) => look(node, node.source),
      /** @param {Node} node */
      ExportNamedDeclaration: (node) => look(node, node.source),
      /** @param {Node} node */
      ExportAllDeclaration: (node) => look(node, node.source),
      /** @param {Node} node */
      ImportExpression: (node) => look(node, node.source),
      /** @param {Node} node */
      TSImportType: (node) => look(node, node.source ?? node.argument),
      /** @param {Node} node */
      CallExpression(node) {
        if (node.callee.type === 'Identifier' && node.callee.name === 'require') look(node, node.arguments[0]);
      },
      /** Files that are named by their URL, as a worker's program is. @param {Node} node */
      NewExpression(node) {
        const specifier = specifierOf(node.arguments[0]);
        if (node.callee.name === 'URL' && node.arguments.length === 2 && /^\.\.?\/.*\.[cm]?[jt]sx?$/.test(specifier ?? '')) {
          look(node, node.arguments[0]);
        }
      },
    };
  },
};

const clockFile = 'src/platform/clock.ts';
/** The renderer's own: it has no part of the platform. */
const rendererClock = 'renderer/clock.ts';
const timers = new Set(['setTimeout', 'setInterval', 'setImmediate']);
const globalObjects = new Set(['globalThis', 'global', 'window', 'self']);
const clockModules = /^(node:)?(timers|timers\/promises|perf_hooks)$/;
/** Properties that read a real clock or wait by it, by the object they are read from. */
const clockProperties = /** @type {Readonly<Record<string, ReadonlySet<string>>>} */ ({
  Date: new Set(['now']),
  performance: new Set(['now', 'timeOrigin', 'mark', 'measure']),
  process: new Set(['hrtime', 'uptime']),
  AbortSignal: new Set(['timeout']),
});

/** The real clock and real timers, which only the clock module may touch: everything else is handed a clock. */
const realClock = {
  /** @param {Context} context */
  create(context) {
    const file = fromRoot(context.filename);
    if (file === clockFile || file === rendererClock) return {};
    /** @param {Node} node @param {string} what */
    const report = (node, what) =>
      context.report({
        node,
        message: file.startsWith('renderer/')
          ? `${what} is for ${rendererClock} alone: use what it offers.`
          : `${what} is for ${clockFile} alone: take a Clock as an argument instead.`,
      });
    /** @param {Node} node the identifier: whether it is the global, not a variable, import or parameter of that name */
    const isGlobal = (node) => {
      for (let scope = context.sourceCode.getScope(node); scope; scope = scope.upper) {
        const variable = scope.set.get(node.name);
        if (variable !== undefined && variable.defs.length > 0) return false;
      }
      return true;
    };
    /** @param {Node} node @returns {string | undefined} the global that an expression names, also by `globalThis.` */
    const globalName = (node) => {
      if (node.type === 'Identifier') return isGlobal(node) ? node.name : undefined;
      if (node.type !== 'MemberExpression') return undefined;
      const object = globalName(node.object);
      return object !== undefined && globalObjects.has(object) ? propertyName(node) : undefined;
    };
    /** @param {Node} node @returns {string | undefined} */
    const propertyName = (node) => (node.computed ? specifierOf(node.property) : node.property.name);
    return {
      /** @param {Node} node */
      Identifier(node) {
        if (!timers.has(node.name) || !isGlobal(node)) return;
        const { parent } = node;
        const isName =
          (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
          (parent.type === 'Property' && parent.key === node && !parent.shorthand) ||
          /^(MethodDefinition|PropertyDefinition|TSPropertySignature|TSMethodSignature|TSTypeQuery)$/.test(parent.type);
        if (!isName) report(node, node.name);
      },
      /** @param {Node} node */
      MemberExpression(node) {
        const property = propertyName(node);
        const object = globalName(node.object);
        if (property === undefined || object === undefined) return;
        if (clockProperties[object]?.has(property)) report(node, `${object}.${property}`);
        else if (globalObjects.has(object) && timers.has(property)) report(node, property);
      },
      /** @param {Node} node */
      NewExpression(node) {
        if (node.arguments.length === 0 && globalName(node.callee) === 'Date') report(node, 'new Date() without a time');
      },
      /** @param {Node} node */
      CallExpression(node) {
        if (globalName(node.callee) === 'Date') report(node, 'Date()');
      },
      /** @param {Node} node */
      VariableDeclarator(node) {
        if (node.id.type !== 'ObjectPattern' || !node.init) return;
        const object = globalName(node.init);
        if (object === undefined) return;
        for (const entry of node.id.properties) {
          const name = entry.type === 'Property' && !entry.computed ? entry.key.name : undefined;
          if (clockProperties[object]?.has(name) || (globalObjects.has(object) && timers.has(name))) report(entry, `${object}.${name}`);
        }
      },
      /** @param {Node} node */
      ImportDeclaration(node) {
        if (node.importKind !== 'type' && clockModules.test(node.source.value)) report(node, node.source.value);
      },
    };
  },
};

/** Files that only pass on what other files export: an import shall name the file where the thing is. */
const noBarrel = {
  /** @param {Context} context */
  create: (context) => ({
    /** @param {Node} program */
    Program(program) {
      /** @type {Node[]} */
      const body = program.body;
      const passesOn = body.filter(
        (node) => node.type === 'ExportAllDeclaration' || (node.type === 'ExportNamedDeclaration' && node.source),
      );
      const restIsImports = body.every((node) => passesOn.includes(node) || node.type === 'ImportDeclaration');
      if (passesOn.length > 0 && restIsImports) {
        context.report({ node: passesOn[0], message: 'This file only re-exports: import from the files that hold the things.' });
      }
    },
    /** @param {Node} node */
    ExportAllDeclaration: (node) => context.report({ node, message: 'Name what is exported: `export *` hides where things are.' }),
  }),
};

/** Attributes that a person reads or hears. */
const readAttributes = new Set([
  'alt',
  'aria-label',
  'aria-description',
  'aria-roledescription',
  'description',
  'error',
  'label',
  'placeholder',
  'title',
]);
const hasWords = (/** @type {unknown} */ text) => typeof text === 'string' && /\p{L}{2}/u.test(text);

/** Words that stand in the interface's markup: all of them belong into renderer/i18n, in every language. */
const noWrittenText = {
  /** @param {Context} context */
  create(context) {
    if (!fromRoot(context.filename).startsWith('renderer/')) return {};
    /** @param {Node} node @param {unknown} text */
    const look = (node, text) => {
      if (hasWords(text)) context.report({ node, message: 'Words of the interface belong into renderer/i18n, in every language.' });
    };
    /** @param {Node} node an expression in markup: its parts that are shown as they are */
    const lookInto = (node) => {
      if (node.type === 'Literal') look(node, node.value);
      else if (node.type === 'TemplateLiteral') for (const quasi of node.quasis) look(quasi, quasi.value.cooked);
      else if (node.type === 'ConditionalExpression') for (const part of [node.consequent, node.alternate]) lookInto(part);
      else if (node.type === 'LogicalExpression') lookInto(node.right);
    };
    return {
      /** @param {Node} node */
      JSXText: (node) => look(node, node.value),
      /** @param {Node} node */
      JSXExpressionContainer(node) {
        if (node.parent.type !== 'JSXAttribute') lookInto(node.expression);
      },
      /** @param {Node} node */
      JSXAttribute(node) {
        const name = node.name.type === 'JSXIdentifier' ? node.name.name : '';
        if (!readAttributes.has(name) || !node.value) return;
        lookInto(node.value.type === 'JSXExpressionContainer' ? node.value.expression : node.value);
      },
    };
  },
};

export default {
  meta: { name: 'holdfast' },
  rules: { 'import-direction': importDirection, 'real-clock': realClock, 'no-barrel': noBarrel, 'no-written-text': noWrittenText },
};
