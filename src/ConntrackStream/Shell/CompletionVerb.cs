using System.CommandLine;
using System.Text;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Shell;

/// <summary><c>completion</c>: a script for the shell.</summary>
internal static class CompletionVerb
{
    private static readonly Dictionary<string, Func<CommandEntry, string>> Shells = new(StringComparer.Ordinal)
    {
        ["bash"] = BashCompletion.Of,
        ["zsh"] = ZshCompletion.Of,
        ["fish"] = FishCompletion.Of,
    };

    internal static Verb Create(CliContext context)
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh or fish" };
        shell.Validators.Add(static result =>
        {
            string name = result.Tokens[0].Value;
            if (!Shells.ContainsKey(name))
                result.AddError($"SHELL: '{name}' is not one of {string.Join(", ", Shells.Keys)}");
        });
        Verb verb = new("completion", "Prints the completion of this command line for a shell; the package has it installed", """
              source <(conntrack-stream completion bash)
              conntrack-stream completion zsh > "${fpath[1]}/_conntrack-stream"
              conntrack-stream completion fish > ~/.config/fish/completions/conntrack-stream.fish
            """);
        verb.Arguments.Add(shell);
        verb.SetAction(parsed =>
        {
            CommandEntry program = CommandEntry.Of((RootCommand)parsed.RootCommandResult.Command);
            context.Output.Write(Encoding.UTF8.GetBytes(Shells[parsed.GetRequiredValue(shell)](program)));
            return ExitCode.Done;
        });
        return verb;
    }
}
