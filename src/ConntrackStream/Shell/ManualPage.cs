using System.CommandLine;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Shell;

/// <summary>conntrack-stream(8): what the help of every verb says, on one page.</summary>
internal static class ManualPage
{
    private static readonly (string Path, string Meaning)[] Files =
    [
        ("/etc/conntrack-stream/appsettings.json", "The configuration: conntrack-stream-configuration(5)."),
        ("/run/conntrack-stream/api.sock", "The HTTP interface of the running service (Api:Socket)."),
        ("/var/lib/conntrack-stream", "What outlives the process: flow ids, original values of sysctls (State:Directory)."),
        ("/var/log/conntrack-stream", "The flow log of the packaged service (FlowLog:Path)."),
        ("/usr/share/doc/conntrack-stream", "Every page of the documentation, and examples."),
    ];

    /// <param name="examples">Of the whole program, and its exit codes.</param>
    internal static string Of(CommandEntry program, string examples)
    {
        Roff page = new();
        page.Title("conntrack-stream", 8, $"conntrack-stream {ProductVersion.Number}", "System administration");
        page.Section("NAME");
        page.Text("conntrack-stream - live view of the kernel's connection table, flow log and tools");
        page.Section("SYNOPSIS");
        page.Text("conntrack-stream VERB [options]");
        page.Section("DESCRIPTION");
        page.Text(program.Description);
        page.Paragraph("Only run starts the service. Without a verb the program prints its help.");
        page.Section("OPTIONS");
        foreach (OptionEntry option in program.Shared.Concat(program.Options))
            Write(page, option);
        page.Section("VERBS");
        foreach (CommandEntry command in program.All().Skip(1))
            Write(page, command);
        page.Section("EXAMPLES");
        page.Verbatim(examples);
        page.Section("ENVIRONMENT");
        page.Term("CONNTRACKSTREAM__Section__Key", null, "A setting, over the file and below --set.");
        page.Term("NO_COLOR", null, "If it is set, no colours on a terminal.");
        page.Section("FILES");
        foreach ((string path, string meaning) in Files)
            page.Term(path, null, meaning);
        page.Section("SEE ALSO");
        page.Text("conntrack-stream-configuration(5), conntrack(8), nft(8)");
        return page.ToString();
    }

    private static void Write(Roff page, CommandEntry command)
    {
        string arguments = string.Concat(command.Arguments.Select(static argument =>
            argument.Arity.MinimumNumberOfValues == 0 ? $" [{argument.Name}]" : $" {argument.Name}"));
        page.Subsection($"{command.Path[1..].Replace('/', ' ')}{arguments}");
        page.Text($"{command.Description}.");
        foreach (Argument argument in command.Arguments)
            page.Term(argument.Name, null, argument.Description ?? "");
        foreach (OptionEntry option in command.Options)
            Write(page, option);
        if (command.Command is Verb { Examples: { Length: > 0 } examples })
            page.Verbatim(examples);
    }

    private static void Write(Roff page, OptionEntry option) =>
        page.Term(string.Join(", ", option.Names), option.ValueName, option.Description);
}
