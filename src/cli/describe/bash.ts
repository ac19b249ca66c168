/** The completion for bash, which needs nothing but bash. */
import { allCommands, type CommandFacts, type OptionFacts, type ValueKind } from './program-facts.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const flagsOf = ({ long, short }: OptionFacts): string[] => [long, short].filter((flag) => flag !== undefined);

const act = (offers: ValueKind): string => {
  switch (offers.kind) {
    case 'file':
      return '_holdfast_files -f';
    case 'folder':
      return '_holdfast_files -d';
    case 'words':
      return `_holdfast_words ${quoted(offers.words.join(' '))}`;
    case 'text':
      return ':';
  }
};

export function bashCompletion(program: CommandFacts): string {
  const commands = [program, ...allCommands(program)];
  const at = (command: CommandFacts): string => command.verbs.join(' ');
  const optionsOf = (command: CommandFacts): OptionFacts[] =>
    command === program ? [...program.options] : [...command.options, ...program.options.filter(({ long }) => long !== '--help')];
  const steps = commands.flatMap((command) => [
    ...optionsOf(command)
      .filter(({ value }) => value)
      .flatMap(flagsOf)
      .map((flag) => `      ${quoted(`${at(command)}:${flag}`)}) skip=1 ;;`),
    ...command.commands.map((each) => `      ${quoted(`${at(command)}:${each.verbs.at(-1)!}`)}) at=${quoted(at(each))} ;;`),
  ]);
  const cases = commands.map((command) => {
    const options = optionsOf(command);
    const values = options.flatMap((option) =>
      option.value ? [`        ${flagsOf(option).join('|')}) ${act(option.value.offers)}; return ;;`] : [],
    );
    const words = command.commands.map((each) => each.verbs.at(-1)!);
    const last = command.arguments.at(-1);
    const places = [
      ...(words.length > 0 ? [`        0) _holdfast_words ${quoted(words.join(' '))} ;;`] : []),
      ...command.arguments.map(
        ({ offers }, i) => `        ${i === command.arguments.length - 1 && last?.isVariadic ? '*' : i}) ${act(offers)} ;;`,
      ),
    ];
    return [
      `    ${quoted(at(command))})`,
      '      [[ -n $ended ]] || case $prev in',
      ...values,
      '      esac',
      `      if [[ -z $ended && $cur == -* ]]; then _holdfast_words ${quoted(options.flatMap(flagsOf).join(' '))}; return; fi`,
      ...(places.length > 0 ? ['      case $count in', ...places, '      esac'] : []),
      '      ;;',
    ].join('\n');
  });
  return `# Completion for bash, made by "holdfast completion bash".

_holdfast_words() {
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_holdfast_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$cur"))
}

_holdfast() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev= at= skip= ended= word
  local -i i count=0
  COMPREPLY=()
  ((COMP_CWORD > 0)) && prev=\${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes the "=" of --option=value for a word of its own.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then
      [[ $word == = ]] || skip=
      continue
    fi
    if [[ -n $ended ]]; then
      count+=1
      continue
    fi
    case "$at:$word" in
${steps.join('\n')}
      *:--) ended=1 ;;
      *:-* | *:=) ;;
      *) count+=1 ;;
    esac
  done
  case $at in
${cases.join('\n')}
  esac
}

complete -F _holdfast holdfast
`;
}
