using System.CommandLine;
using System.Text;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>stats</c>: the kernel's counters of each CPU, as <c>conntrack -S</c>; or the running service's own.</summary>
internal static class StatsVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Verb verb = new("stats", "Prints the kernel's conntrack statistics of each CPU, as conntrack -S", """
              conntrack-stream stats
              conntrack-stream stats --live            the running service's counters, as JSON
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Live) && parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([shared.Namespace, shared.Live, shared.Socket]);
        verb.Validators.Add(shared.EitherLiveOrKernel);
        verb.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(shared.Live))
                await ApiClient.CopyAsync(
                    shared.SocketPath(parsed, context), "/v1/status", context.Output, cancellation).ConfigureAwait(false);
            else
                Print(shared.OpenNamespace(parsed), context.Output);
            return ExitCode.Done;
        });
        return verb;
    }

    private static void Print(NetworkNamespace networkNamespace, Stream output)
    {
        using NetworkNamespace opened = networkNamespace;
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        foreach (ConntrackCpuStats cpu in client.Stats())
            output.Write(Encoding.UTF8.GetBytes(CpuStatsText.Format(cpu) + "\n"));
    }
}
