/** The unit by which systemd starts the service for its person (systemd.unit(5), systemd.service(5)). */

/** Text as one word of ExecStart= or another list: quoted as C does, with `%` doubled, which begins a specifier. */
const quoted = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t').replace(/\r/g, '\\r').replace(/%/g, '%%')}"`;

/** The same for an argument, in which `$` begins a variable; in the name of the program it does not. */
const argument = (text: string): string => quoted(text).replace(/\$/g, '$$$$');

/** The name of the program must not hold these, however it is quoted (systemd's string_is_safe). */
const unsafe = /["'\\\p{Cc}]/u;

/** `command` is the program, by its absolute path, and its arguments. */
export function systemdUnit([program, ...args]: readonly string[]): string {
  const start = unsafe.test(program)
    ? ['"/bin/sh"', '"-c"', argument('exec "$0" "$@"'), argument(program), ...args.map(argument)]
    : [quoted(program), ...args.map(argument)];
  return `[Unit]
Description=Holdfast backups
Documentation=man:holdfast(1)

[Service]
ExecStart=${start.join(' ')}
Restart=on-failure
RestartSec=30
# Ended by a signal, as systemd itself ends it.
SuccessExitStatus=130
# The host sees to a service that is out of memory; by itself systemd would end both.
OOMPolicy=continue

[Install]
WantedBy=default.target
`;
}
