using System.CommandLine;
using System.Text;

namespace ConntrackStream.Service.Shell;

/// <summary>The completion for zsh: one function a command.</summary>
internal static class ZshCompletion
{
    internal static string Of(CommandEntry program)
    {
        StringBuilder script = new();
        script.Append("#compdef conntrack-stream\n# Written by: conntrack-stream completion zsh\n\n");
        script.Append("_conntrack_stream_netns() {\n  local -a names\n  names=(/run/netns/*(N:t))\n  compadd -a names\n}\n\n");
        script.Append("_conntrack_stream_setting() {\n  compadd -S '' -- ")
            .AppendJoin(' ', ValueWords.Settings.Select(static key => $"'{key}'")).Append("\n}\n\n");
        foreach (CommandEntry command in program.All().Reverse())
            Write(script, command);
        return script.Append("_conntrack_stream \"$@\"\n").ToString();
    }

    private static void Write(StringBuilder script, CommandEntry command)
    {
        script.Append($"{Function(command)}() {{\n  local curcontext=$curcontext state line\n  _arguments -C");
        foreach (OptionEntry option in command.AllOptions)
            script.Append($" \\\n    {Specification(option)}");
        foreach (Argument argument in command.Arguments)
        {
            string several = argument.Arity.MaximumNumberOfValues > 1 ? "*" : "";
            script.Append($" \\\n    {Quoted($"{several}:{Escaped(argument.Name, ":")}:{Action(argument.Name)}")}");
        }

        if (command.Subcommands.Count > 0)
            script.Append(" \\\n    '1: :->verb' '*:: :->rest'");
        script.Append('\n');
        if (command.Subcommands.Count > 0)
            WriteVerbs(script, command);
        script.Append("}\n\n");
    }

    private static void WriteVerbs(StringBuilder script, CommandEntry command)
    {
        script.Append("  local -a verbs\n  case $state in\n    verb)\n      verbs=(\n");
        foreach (CommandEntry below in command.Subcommands)
            script.Append($"        {Quoted($"{below.Name}:{below.Description}")}\n");
        script.Append("      )\n      _describe verb verbs\n      ;;\n    rest)\n      case $line[1] in\n");
        foreach (CommandEntry below in command.Subcommands)
            script.Append($"        {below.Name}) {Function(below)} ;;\n");
        script.Append("      esac\n      ;;\n  esac\n");
    }

    /// <summary>As _arguments reads it: which options it excludes, its names, its explanation, and what its value can be.</summary>
    private static string Specification(OptionEntry option)
    {
        string[] names = [.. option.Names.Select(name =>
            option.ValueName is null ? name : name.StartsWith("--", StringComparison.Ordinal) ? $"{name}=" : $"{name}+")];
        string text = Quoted($"[{Escaped(option.Description, "[]")}]{(option.ValueName is { } value
            ? $":{Escaped(value, ":")}:{Action(option, value)}" : "")}");
        string together = option.Repeats ? "'*'" : Quoted($"({string.Join(' ', option.Names)})");
        return names.Length == 1 ? $"{together}{names[0]}{text}" : $"{together}{{{string.Join(',', names)}}}{text}";
    }

    private static string Action(OptionEntry option, string valueName) => option switch
    {
        { TakesSetting: true } => "_conntrack_stream_setting",
        { TakesNamespace: true } => "_conntrack_stream_netns",
        { Words.Count: > 0, Repeats: true } => $"_values -s , {valueName.Split('[')[0]} {string.Join(' ', option.Words)}",
        _ => Action(valueName),
    };

    private static string Action(string valueName) =>
        ValueWords.IsFile(valueName) ? "_files" : ValueWords.Of(valueName) is { Count: > 0 } words ? $"({string.Join(' ', words)})" : " ";

    private static string Function(CommandEntry command) =>
        $"_conntrack_stream{command.Path.Replace('/', '_').Replace('-', '_')}";

    private static string Escaped(string text, string special) =>
        string.Concat(text.Select(letter => special.Contains(letter) || letter == '\\' ? $"\\{letter}" : $"{letter}"));

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
