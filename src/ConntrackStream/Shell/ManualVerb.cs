using System.CommandLine;
using System.Text;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Shell;

/// <summary><c>manual</c>: the manual page, for those who make packages.</summary>
internal static class ManualVerb
{
    /// <param name="examples">Of the whole program.</param>
    internal static Verb Create(CliContext context, string examples)
    {
        Verb verb = new("manual", "Prints the manual page", """
              conntrack-stream manual | man -l -
            """)
        {
            Hidden = true,
        };
        verb.SetAction(parsed =>
        {
            CommandEntry program = CommandEntry.Of((RootCommand)parsed.RootCommandResult.Command);
            context.Output.Write(Encoding.UTF8.GetBytes(ManualPage.Of(program, examples)));
            return ExitCode.Done;
        });
        return verb;
    }
}
