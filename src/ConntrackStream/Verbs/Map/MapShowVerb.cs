using System.CommandLine;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Filtering;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Verbs.Map;

/// <summary><c>map show</c>: the entries of the eBPF map, each with the flow it belongs to.</summary>
internal static class MapShowVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared, MapOption map)
    {
        FilterOptions filter = new(FilterScope.Tuple);
        FormatOption output = new();
        Option<bool> stale = new("--stale") { Description = "Only entries without a flow" };
        Verb verb = new("show", "Shows the entries of the eBPF map, and the flow each belongs to or why none", """
              conntrack-stream map show -p tcp --dport 443
              conntrack-stream map show --stale -s 10.1.2.3
              conntrack-stream map show --map id:17 -o json | jq -r 'select(.match=="none") | .owner' | sort | uniq -c
            A glance: an entry without a flow may be one whose flow begins just now. What is stale for certain is told by: map audit
            """)
        {
            UsesConfiguration = static _ => true,
        };
        verb.Add([map.Option, stale, .. filter.All, output.Option, shared.Namespace]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            ServiceOptions options = OptionsLoader.Load(shared.Sources(parsed, context));
            using EbpfFlowMap opened = EbpfFlowMap.Open(map.Read(parsed, options.Map), forDeleting: false);
            using NetworkNamespace networkNamespace = NetworkNamespace.Open(
                parsed.GetValue(shared.Namespace) ?? options.Tap.NetworkNamespace);
            using MapEntryLines lines = new(context, filter.Read(parsed), parsed.GetValue(stale), output.IsJson(parsed));
            await ShowAsync(opened, networkNamespace, lines, context, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return verb;
    }

    private static async Task ShowAsync(
        EbpfFlowMap map, NetworkNamespace networkNamespace, MapEntryLines lines, CliContext context, CancellationToken cancellation)
    {
        MapLookup lookup = new();
        BriefStream stream = new(networkNamespace, [], new PipelineOptions { Stages = [lookup] }, context.Time);
        await using (stream.ConfigureAwait(false))
        {
            await stream.StartAsync(cancellation).ConfigureAwait(false);
            FlowMapScan scan = await MapReader.ReadAsync(map, lookup, lines.Write, cancellation).ConfigureAwait(false);
            lines.Flush();
            context.Tell(lines.Summary(map.Info, scan));
        }
    }
}
