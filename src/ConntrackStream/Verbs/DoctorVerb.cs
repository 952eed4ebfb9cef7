using System.CommandLine;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Doctor;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>doctor</c>: what would keep the service from working with this configuration, one line each, with the fix.</summary>
internal static class DoctorVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Verb verb = new("doctor", "Says what would keep the service from working here, and the fix; exit 0 if nothing would", """
              conntrack-stream doctor
              conntrack-stream doctor --netns blue --set FlowLog:Path=/var/log/flows.json
            Each line begins with ok, warn (works, but less well) or fail (does not work).
            """);
        verb.Add([shared.Namespace]);
        verb.SetAction((parsed, _) =>
        {
            ServiceOptions options = OptionsLoader.Load(shared.Sources(parsed, context));
            using NetworkNamespace networkNamespace = NetworkNamespace.Open(parsed.GetValue(shared.Namespace) ?? options.Tap.NetworkNamespace);
            return Task.FromResult(Report(Examine(options, networkNamespace), context));
        });
        return verb;
    }

    private static IEnumerable<CheckResult> Examine(ServiceOptions options, NetworkNamespace networkNamespace)
    {
        CheckResult[] process =
        [
            ProcessChecks.Kernel(Environment.OSVersion.Version), .. ProcessChecks.Capabilities(File.ReadAllText("/proc/self/status"), networkNamespace),
        ];
        return process.Any(static result => result.Level == CheckLevel.Fail)
            ? [.. process, .. FileChecks.Run(options)]
            : [.. process, .. KernelChecks.Run(options, networkNamespace), BufferCheck.Run(options.Tap, networkNamespace), .. FileChecks.Run(options)];
    }

    private static int Report(IEnumerable<CheckResult> results, CliContext context)
    {
        bool isHealthy = true;
        foreach (CheckResult result in results)
        {
            context.Output.Write(Encoding.UTF8.GetBytes(Paint(result, context.OutputIsTerminal) + "\n"));
            isHealthy &= result.Level != CheckLevel.Fail;
        }

        return isHealthy ? ExitCode.Done : ExitCode.Failed;
    }

    private static string Paint(CheckResult result, bool isTerminal) => (isTerminal, result.Level) switch
    {
        (false, _) => result.ToString(),
        (_, CheckLevel.Ok) => $"{Colour.Green}{result}{Colour.None}",
        (_, CheckLevel.Warn) => $"{Colour.Yellow}{result}{Colour.None}",
        _ => $"{Colour.Red}{result}{Colour.None}",
    };
}
