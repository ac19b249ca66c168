/** The completion for zsh: to be sourced, or as a file \`_holdfast\` in the function path. */
import { allCommands, type ArgumentFacts, type CommandFacts, type OptionFacts, type ValueFacts } from './program-facts.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** In the brackets of an option's description. */
const inBrackets = (text: string): string => text.replace(/[\\[\]]/g, '\\$&');

/** Where a colon would end it. */
const beforeColon = (text: string): string => text.replace(/[\\:]/g, '\\$&');

/** The message and action of an argument. */
function valueSpec({ name, offers }: ValueFacts): string {
  const actions = { file: '_files', folder: '_files -/', words: '', text: ' ' };
  const action = offers.kind === 'words' ? `(${offers.words.join(' ')})` : actions[offers.kind];
  return `:${beforeColon(name)}:${action}`;
}

function optionSpecs({ long, short, value, isRepeatable, description }: OptionFacts): string[] {
  const flags = [short, long].filter((flag) => flag !== undefined);
  return flags.map((flag) => {
    const before = isRepeatable ? '*' : flags.length > 1 ? `(${flags.join(' ')})` : '';
    const sign = value ? (flag.startsWith('--') ? '=' : '+') : '';
    return quoted(`${before}${flag}${sign}[${inBrackets(description)}]${value ? valueSpec(value) : ''}`);
  });
}

const argumentSpec = (argument: ArgumentFacts, place: number): string => {
  const { isVariadic, isRequired } = argument;
  const spec = valueSpec(argument);
  return quoted(isVariadic ? `*${spec}` : `${place}${isRequired ? '' : ':'}${spec}`);
};

const functionName = ({ verbs }: CommandFacts): string => ['_holdfast', ...verbs].join('_');

function functionOf(command: CommandFacts, program: CommandFacts): string {
  const name = functionName(command);
  const others = command === program ? [] : program.options.filter(({ long }) => long !== '--help');
  const options = [...command.options, ...others].flatMap(optionSpecs);
  if (command.commands.length === 0) {
    const specs = [...options, ...command.arguments.map((argument, i) => argumentSpec(argument, i + 1))];
    return `${name}() {\n  _arguments -s -S \\\n    ${specs.join(' \\\n    ')}\n}`;
  }
  const verbs = command.commands.map((each) => quoted(`${each.verbs.at(-1)!}:${each.description}`));
  const cases = command.commands.map((each) => `    ${each.verbs.at(-1)!}) ${functionName(each)} ;;`);
  return `${name}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a verbs=(
    ${verbs.join('\n    ')}
  )
  _arguments -C -s -S \\
    ${options.join(' \\\n    ')} \\
    '1: :->verb' \\
    '*:: :->rest' && return
  case $state in
    verb) _describe -t verbs verb verbs ;;
    rest) case $words[1] in
${cases.join('\n')}
    esac ;;
  esac
}`;
}

export function zshCompletion(program: CommandFacts): string {
  const functions = [program, ...allCommands(program)].map((command) => functionOf(command, program));
  return `#compdef holdfast
# Completion for zsh, made by "holdfast completion zsh".

${functions.join('\n\n')}

if [[ $funcstack[1] == _holdfast ]]; then
  _holdfast "$@"
else
  compdef _holdfast holdfast
fi
`;
}
