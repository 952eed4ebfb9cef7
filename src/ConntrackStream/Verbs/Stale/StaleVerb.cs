using System.CommandLine;
using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs.Stale;

/// <summary>
/// <c>stale</c>: flows whose packets lead to a backend that cannot be reached, such as a pod that was restarted behind a ClusterIP. They
/// are shown, and with <c>--delete</c> removed, each by its original tuple, zone and id.
/// </summary>
internal static class StaleVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        FormatOption output = new();
        Option<bool> all = new("--all") { Description = "Also flows whose destination is not translated" };
        Option<bool> delete = new("--delete") { Description = "Delete them; without it nothing is changed" };
        Verb verb = new("stale", "Finds flows to backends without a route, a neighbour or an interface, and deletes them", """
              conntrack-stream stale
              conntrack-stream stale -p udp -d 10.96.0.10 --delete
              conntrack-stream stale --netns blue -o json | jq .reason
            A backend on a network of the machine's own that is no known neighbour is asked first (ARP, NDP): one that lives answers. What lies
            behind a gateway counts as reachable.
            """);
        verb.Add([.. filter.All, all, delete, output.Option, shared.Namespace]);
        verb.SetAction((parsed, cancellation) => RunAsync(
            shared.OpenNamespace(parsed), filter.Read(parsed),
            new StaleLines(context, output.IsJson(parsed), parsed.GetValue(delete)), parsed.GetValue(all), context, cancellation));
        return verb;
    }

    private static async Task<int> RunAsync(
        NetworkNamespace networkNamespace, FlowFilter filter, StaleLines lines, bool all, CliContext context, CancellationToken outer)
    {
        using NetworkNamespace opened = networkNamespace;
        using Interruption interruption = new(outer);
        using BackendReach reach = new(networkNamespace, context.Time);
        long looked = 0;
        new WholeTable(networkNamespace).Read(
            filter.Family,
            (in FlowEvent entry) =>
            {
                if (!IsWanted(entry.Flow, filter, all))
                    return;
                looked++;
                reach.Add(entry.Flow);
            },
            interruption.Token);
        await reach.AskNeighboursAsync(interruption.Token).ConfigureAwait(false);
        // A socket of its own: the kernel goes on with the dump on another while entries are deleted.
        using ConntrackClient deleting = networkNamespace.Run(static () => new ConntrackClient());
        try
        {
            new WholeTable(networkNamespace).Read(
                filter.Family,
                (in FlowEvent entry) =>
                {
                    if (IsWanted(entry.Flow, filter, all) && reach.IsStale(entry.Flow, out string? reason))
                        lines.Write(entry.Flow, reason, deleting);
                },
                interruption.Token);
        }
        catch (IOException e) when (lines.Done is not null)
        {
            return context.FailPartly(lines.Done, e);
        }

        if (reach.LeftOut > 0)
            context.Tell(string.Create(
                CultureInfo.InvariantCulture,
                $"{reach.LeftOut} flows lead to more than {BackendReach.MostBackends} backends and were left out; use a filter"));
        context.Tell(lines.Summary(looked));
        return ExitCode.Done;
    }

    private static bool IsWanted(in Flow flow, FlowFilter filter, bool all) =>
        flow.Has(FlowFields.BothTuples) && (all || flow.IsDestinationNat) && filter.Matches(flow);
}
