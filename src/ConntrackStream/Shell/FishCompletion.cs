using System.Text;

namespace ConntrackStream.Service.Shell;

/// <summary>The completion for fish: a line an option.</summary>
internal static class FishCompletion
{
    private const string Head = """
        # fish completion for conntrack-stream, written by: conntrack-stream completion fish

        function __conntrack_stream_verb
            set -l verb conntrack-stream
            for word in (commandline -opc)[2..-1]
                if contains -- $verb/$word VERBS
                    set verb $verb/$word
                end
            end
            echo $verb
        end

        function __conntrack_stream_at
            test (__conntrack_stream_verb) = $argv[1]
        end

        # Of words joined by commas the last one is open, and none is given twice.
        function __conntrack_stream_list
            set -l given (string split , -- (commandline -ct | string replace -r '^--[^=]+=|^-[a-z]' ''))
            set -e given[-1]
            for word in $argv
                contains -- $word $given; or string join , -- $given $word
            end
        end

        complete -c conntrack-stream -f

        """;

    internal static string Of(CommandEntry program)
    {
        string verbs = string.Join(' ', program.All().Skip(1).Select(Path));
        StringBuilder script = new(Head.Replace("VERBS", verbs, StringComparison.Ordinal));
        foreach (CommandEntry command in program.All())
        {
            string start = $"complete -c conntrack-stream -n '__conntrack_stream_at {Path(command)}'";
            foreach (CommandEntry below in command.Subcommands)
                script.Append($"{start} -a {below.Name} -d {Quoted(below.Description)}\n");
            foreach (OptionEntry option in command.AllOptions)
                script.Append($"{start}{Specification(option)}\n");
            foreach (string word in command.Arguments.SelectMany(static argument => ValueWords.Of(argument.Name)))
                script.Append($"{start} -a {word}\n");
            if (command.TakesFiles)
                script.Append($"{start} -F\n");
        }

        return script.ToString();
    }

    private static string Path(CommandEntry command) => $"conntrack-stream{command.Path}";

    private static string Specification(OptionEntry option)
    {
        IEnumerable<string> names = option.Names.Select(static name =>
            name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}");
        return $"{string.Concat(names)} -d {Quoted(option.Description)}{Value(option)}";
    }

    private static string Value(OptionEntry option) => option switch
    {
        { ValueName: null } => "",
        { TakesFile: true } => " -r -F",
        { TakesNamespace: true } => " -x -a '(path basename /run/netns/* 2>/dev/null)'",
        { Words.Count: > 0, Repeats: true } => $" -x -a '(__conntrack_stream_list {string.Join(' ', option.Words)})'",
        { Words.Count: > 0 } => $" -x -a {Quoted(string.Join(' ', option.Words))}",
        _ => " -x",
    };

    private static string Quoted(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
