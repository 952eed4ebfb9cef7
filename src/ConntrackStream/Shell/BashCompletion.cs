using System.Text;

namespace ConntrackStream.Service.Shell;

/// <summary>The completion for bash. It needs nothing of the package bash-completion, which only loads it.</summary>
internal static class BashCompletion
{
    private const string Head = """
        # bash completion for conntrack-stream, written by: conntrack-stream completion bash

        # What can follow the verb $1: verbs, options, @file.
        _conntrack_stream_words() {
            case $1 in

        """;

    private const string Between = """
            esac
        }

        # What the value of option $2 of the verb $1 can be: words, @file or @netns. Fails for an option without a value.
        _conntrack_stream_values() {
            case "$1 $2" in

        """;

    private const string Tail = """
                *) return 1 ;;
            esac
        }

        _conntrack_stream() {
            local line=${COMP_LINE:0:COMP_POINT} words=() word verb='' option='' current='' offered='' before='' kept
            COMPREPLY=()
            read -ra words <<<"$line"
            [[ $line == *[[:space:]] ]] && words+=('')
            current=${words[${#words[@]}-1]}
            for word in "${words[@]:1:${#words[@]}-2}"; do
                if [[ -n $option ]]; then
                    option=''
                elif [[ $word == -* ]]; then
                    if _conntrack_stream_values "$verb" "$word" >/dev/null; then option=$word; fi
                else
                    case $verb/$word in
                        VERBS) verb=$verb/$word ;;
                    esac
                fi
            done
            if [[ -z $option && $current == --*=* ]]; then
                option=${current%%=*}
                current=${current#*=}
            fi
            kept=${current%"${current##*[:=]}"}
            if [[ -z $option ]]; then
                offered=$(_conntrack_stream_words "$verb")
            else
                offered=$(_conntrack_stream_values "$verb" "$option") || return 0
                # Of a list only the last word is open, and none is given twice.
                if [[ $offered != @* && $current == *,* ]]; then
                    before=${current%,*},
                    current=${current##*,}
                    IFS=, read -ra words <<<"$before"
                    for word in "${words[@]}"; do offered=" $offered "; offered=${offered/ "$word" / }; done
                fi
            fi
            if [[ $offered == @netns ]]; then
                mapfile -t COMPREPLY < <(cd /run/netns 2>/dev/null && compgen -f -- "$current")
                return 0
            fi
            if [[ " $offered " == *' @file '* ]]; then
                if [[ -n $option || $current != -* ]]; then
                    compopt -o filenames 2>/dev/null
                    mapfile -t COMPREPLY < <(compgen -f -- "$current")
                fi
                offered=${offered/@file/}
            fi
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -P "$before" -W "$offered" -- "$current")
            # readline replaces what follows the last colon or equals sign.
            if [[ -n $kept && $COMP_WORDBREAKS == *:* ]]; then COMPREPLY=("${COMPREPLY[@]#"$kept"}"); fi
            if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
            return 0
        }
        complete -F _conntrack_stream conntrack-stream

        """;

    internal static string Of(CommandEntry program)
    {
        StringBuilder script = new(Head);
        foreach (CommandEntry command in program.All())
            script.Append($"        '{command.Path}') echo '{string.Join(' ', Following(command))}' ;;\n");
        script.Append(Between);
        foreach (IGrouping<string, string> same in Values(program).GroupBy(
            static value => value.Offered, static value => value.Option, StringComparer.Ordinal))
            script.Append($"        {string.Join(" | ", same.Select(static option => $"'{option}'"))}) echo '{same.Key}' ;;\n");
        string verbs = string.Join(" | ", program.All().Skip(1).Select(static command => command.Path));
        return script.Append(Tail.Replace("VERBS", verbs, StringComparison.Ordinal)).ToString();
    }

    private static IEnumerable<string> Following(CommandEntry command) =>
    [
        .. command.Subcommands.Select(static below => below.Name), .. command.AllOptions.SelectMany(static option => option.Names),
        .. command.Arguments.SelectMany(static argument => ValueWords.Of(argument.Name)), .. command.TakesFiles ? ["@file"] : (string[])[],
    ];

    private static IEnumerable<(string Option, string Offered)> Values(CommandEntry program) =>
        from command in program.All()
        from option in command.AllOptions
        where option.ValueName is not null
        from name in option.Names
        select ($"{command.Path} {name}", Offered(option));

    private static string Offered(OptionEntry option) =>
        option.TakesFile ? "@file" : option.TakesNamespace ? "@netns" : string.Join(' ', option.Words);
}
