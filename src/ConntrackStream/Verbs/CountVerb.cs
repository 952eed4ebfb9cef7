using System.CommandLine;
using System.Text;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>count</c>: how many flows; without a filter the kernel's own counter, as <c>conntrack -C</c>.</summary>
internal static class CountVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        Verb verb = new("count", "Prints the number of flows, as conntrack -C", """
              conntrack-stream count
              conntrack-stream count -p udp --status UNREPLIED
              conntrack-stream count --live            as the running service sees it
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Live) && parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([.. filter.All, shared.Namespace, shared.Live, shared.Socket]);
        verb.Validators.Add(shared.EitherLiveOrKernel);
        verb.SetAction(async (parsed, cancellation) =>
        {
            long count = parsed.GetValue(shared.Live)
                ? await ApiClient.CountAsync(shared.SocketPath(parsed, context), filter.ToQuery(parsed), cancellation).ConfigureAwait(false)
                : Count(shared.OpenNamespace(parsed), filter.Read(parsed), cancellation);
            context.Output.Write(Encoding.UTF8.GetBytes($"{count}\n"));
            return ExitCode.Done;
        });
        return verb;
    }

    private static long Count(NetworkNamespace networkNamespace, FlowFilter filter, CancellationToken cancellation)
    {
        using NetworkNamespace opened = networkNamespace;
        if (filter.IsEmpty)
        {
            using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
            return client.Count();
        }

        long count = 0;
        new WholeTable(networkNamespace).Read(
            filter.Family, (in FlowEvent entry) => count += filter.Matches(entry.Flow) ? 1 : 0, cancellation);
        return count;
    }
}
