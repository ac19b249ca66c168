/** The completion for fish. */
import { allCommands, type CommandFacts, type OptionFacts, type ValueKind } from './program-facts.ts';

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

const flagsOf = ({ long, short }: OptionFacts): string[] => [long, short].filter((flag) => flag !== undefined);

/** What follows an option that takes a value, and an argument. */
const values = (offers: ValueKind): string => {
  switch (offers.kind) {
    case 'file':
      return '-r -F';
    case 'folder':
      return `-x -a ${quoted('(__fish_complete_directories)')}`;
    case 'words':
      return `-x -a ${quoted(offers.words.join(' '))}`;
    case 'text':
      return '-x';
  }
};

export function fishCompletion(program: CommandFacts): string {
  const commands = [program, ...allCommands(program)];
  const at = (command: CommandFacts): string => command.verbs.join(' ');
  const optionsOf = (command: CommandFacts): OptionFacts[] =>
    command === program ? [...program.options] : [...command.options, ...program.options.filter(({ long }) => long !== '--help')];
  const steps = commands.flatMap((command) => {
    const skipped = optionsOf(command)
      .filter(({ value }) => value)
      .flatMap(flagsOf)
      .map((flag) => quoted(`${at(command)}:${flag}`));
    return [
      ...(skipped.length > 0 ? [`            case ${skipped.join(' ')}`, '                set skip 1'] : []),
      ...command.commands.flatMap((each) => [
        `            case ${quoted(`${at(command)}:${each.verbs.at(-1)!}`)}`,
        `                set at ${quoted(at(each))}`,
      ]),
    ];
  });
  const lines = commands.flatMap((command) => {
    const here = `complete -c holdfast -n ${quoted(`__holdfast_at ${quoted(at(command))}`)}`;
    const first = command.arguments[0];
    return [
      ...command.commands.map((each) => `${here} -a ${quoted(each.verbs.at(-1)!)} -d ${quoted(each.description)}`),
      ...(first?.offers.kind === 'file' ? [`${here} -F`] : []),
      ...(first?.offers.kind === 'words' ? [`${here} -a ${quoted(first.offers.words.join(' '))}`] : []),
      ...optionsOf(command).map(({ long, short, value, description }) => {
        const flags = [...(short === undefined ? [] : [`-s ${short.slice(1)}`]), ...(long === undefined ? [] : [`-l ${long.slice(2)}`])];
        return [here, ...flags, ...(value ? [values(value.offers)] : []), `-d ${quoted(description)}`].join(' ');
      }),
    ];
  });
  return `# Completion for fish, made by "holdfast completion fish".

# Whether the words so far lead to this verb.
function __holdfast_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l at ''
    set -l skip 0
    for word in $words
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch "$at:$word"
${steps.join('\n')}
        end
    end
    test "$at" = "$argv[1]"
end

complete -c holdfast -f
${lines.join('\n')}
`;
}
