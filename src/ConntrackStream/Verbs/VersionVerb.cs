using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>version</c>: of the program, its runtime and the kernel.</summary>
internal static class VersionVerb
{
    internal static Verb Create(CliContext context)
    {
        Verb verb = new("version", "Prints the version of the program, its runtime and the kernel", """
              conntrack-stream version
            """);
        verb.SetAction(_ =>
        {
            string text = $"conntrack-stream {ProductVersion.Number} ({RuntimeInformation.FrameworkDescription}, "
                + $"{RuntimeInformation.RuntimeIdentifier}, Linux {Environment.OSVersion.Version.ToString(3)})\n";
            context.Output.Write(Encoding.UTF8.GetBytes(text));
            return ExitCode.Done;
        });
        return verb;
    }
}
