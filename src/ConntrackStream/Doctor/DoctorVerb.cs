using System.CommandLine;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.MapCleaning.Module;
using ConntrackStream.Sinks.Reclassify.Setup;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Doctor;

/// <summary><c>doctor</c>: what would keep the service from working with this configuration, one line each, with the fix.</summary>
internal static class DoctorVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Verb verb = new("doctor", "Says what would keep the service from working here, and the fix; exit 0 if nothing would", """
              conntrack-stream doctor
              conntrack-stream doctor --netns blue --set FlowLog:Path=/var/log/flows.json
            Each line begins with ok, warn (works, but less well) or fail (does not work).
            """)
        {
            UsesConfiguration = static _ => true,
        };
        verb.Add([shared.Namespace]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            ServiceOptions options = OptionsLoader.Load(shared.Sources(parsed, context));
            using NetworkNamespace networkNamespace = Open(
                parsed.GetValue(shared.Namespace) ?? options.Tap.NetworkNamespace, out CheckResult? absent);
            return Report(
                await ExamineAsync(options, networkNamespace, absent, context.Time, cancellation).ConfigureAwait(false), context);
        });
        return verb;
    }

    /// <param name="absent">Why it cannot be opened. What does not need it is looked at all the same.</param>
    private static NetworkNamespace Open(string? nameOrPath, out CheckResult? absent)
    {
        absent = null;
        try
        {
            return NetworkNamespace.Open(nameOrPath);
        }
        catch (NetlinkException e)
        {
            absent = CheckResult.Fail(
                "network namespace", e.Message, "make it (ip netns add), or name another by Tap:NetworkNamespace (--netns)");
            return NetworkNamespace.Current;
        }
    }

    private static async Task<List<CheckResult>> ExamineAsync(
        ServiceOptions options, NetworkNamespace networkNamespace, CheckResult? absent, TimeProvider time,
        CancellationToken cancellation)
    {
        List<CheckResult> results =
        [
            ProcessChecks.Kernel(Environment.OSVersion.Version),
            .. ProcessChecks.Capabilities(File.ReadAllText("/proc/self/status"), networkNamespace),
            .. absent is null ? [] : (CheckResult[])[absent],
        ];
        bool canAskKernel = results.TrueForAll(static result => result.Level != CheckLevel.Fail);
        if (canAskKernel)
        {
            CheckResult[] kernel = [.. KernelChecks.Run(options, networkNamespace)];
            canAskKernel = kernel[0].Level != CheckLevel.Fail;
            using TableChecks? table = canAskKernel ? new TableChecks(networkNamespace, time) : null;
            CheckResult[] service = [.. await ServiceChecks.RunAsync(options, networkNamespace, cancellation).ConfigureAwait(false)];
            CheckResult buffer = BufferCheck.Run(options.Tap, networkNamespace);
            IEnumerable<CheckResult> tableLines = table is null ? [] : await table.FinishAsync(cancellation).ConfigureAwait(false);
            results.AddRange([.. kernel, .. tableLines, .. service, buffer]);
        }

        results.AddRange(await ModuleChecks.RunAsync(options, networkNamespace, time, canAskKernel, cancellation).ConfigureAwait(false));
        results.AddRange(FileChecks.Run(options));
        if (options.Api.Enabled)
            results.AddRange(ApiChecks.Run(options.Api));
        return results;
    }

    private static int Report(List<CheckResult> results, CliContext context)
    {
        CliContext.WriteForWhoReads(() =>
        {
            foreach (CheckResult result in results)
            {
                string line = Paint(PrintableText.Escape(result.ToString()), result.Level, context.OutputIsTerminal);
                context.Output.Write(Encoding.UTF8.GetBytes(line + "\n"));
            }
        });
        return results.Exists(static result => result.Level == CheckLevel.Fail) ? ExitCode.Failed : ExitCode.Done;
    }

    private static string Paint(string line, CheckLevel level, bool isTerminal) => (isTerminal, level) switch
    {
        (false, _) => line,
        (_, CheckLevel.Ok) => $"{Colour.Green}{line}{Colour.None}",
        (_, CheckLevel.Warn) => $"{Colour.Yellow}{line}{Colour.None}",
        _ => $"{Colour.Red}{line}{Colour.None}",
    };
}
