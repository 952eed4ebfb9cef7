using System.Globalization;
using System.Text.Json;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Module;

/// <summary>The eBPF map: can it be read and cleaned, does it belong to this namespace, and who else cleans it.</summary>
internal static class MapChecks
{
    /// <summary>So many entries without a single flow are no chance.</summary>
    private const int EnoughToTell = 64;

    private const int OneDay = 86_400;

    private const string Remedy = $"raise the agent's {AgentCleaner.Flag} to a day or more ({AgentCleaner.Flag}=86400, container "
        + $"aws-eks-nodeagent of the DaemonSet aws-node), and leave the cleaning to this service";

    private const string RightNamespace = "Tap:NetworkNamespace must be the one in which the agent's traffic is tracked, as a rule the "
        + "host's (/proc/1/ns/net)";

    /// <summary>Nothing when no map is configured and the agent's pin is not there.</summary>
    internal static async Task<IEnumerable<CheckResult>> RunAsync(
        MapSettings options, IModuleHost host, CheckContext context, CancellationToken cancellation)
    {
        if (!context.CanAskKernel || options.Find(File.Exists) is not { } source)
            return [];
        NetworkNamespace networkNamespace = host.Network;
        List<CheckResult> results = [];
        if (options.Path is null)
            results.Add(Unused(source, context.HasFilter));
        try
        {
            using EbpfFlowMap map = EbpfFlowMap.Open(source, forDeleting: false);
            results.Add(Layout(map.Info));
            results.AddRange(Twins(map.Info, LoadedMaps.OfKnownLayouts()));
            if (options is { Path: not null, Mode: MapMode.Delete })
                results.Add(Writable(source));
            MapLookup lookup = new();
            BriefStream stream = new(networkNamespace, [], new PipelineOptions { Stages = [lookup] }, host.Time);
            await using (stream.ConfigureAwait(false))
            {
                await stream.StartAsync(cancellation).ConfigureAwait(false);
                long matched = 0;
                HashSet<uint> interfaces = [];
                FlowMapScan scan = await MapReader.ReadAsync(
                    map,
                    lookup,
                    (in MapMatch match, in MapValue _) =>
                    {
                        if (!match.HasFlow)
                            return;
                        matched++;
                        interfaces.Add(match.Key.InterfaceIndex);
                    },
                    cancellation).ConfigureAwait(false);
                results.Add(Fill(scan, map.Info));
                results.Add(Share(scan.Entries, matched, HasAny(interfaces, networkNamespace), networkNamespace.ToString()));
            }
        }
        catch (FlowMapException e)
        {
            results.Add(Unusable(e, source));
        }

        results.Add(Cleaner(AgentCleaner.Find(), options.Mode));
        if (await context.RunningStatus(MapCleaningModule.StatusName, cancellation).ConfigureAwait(false) is { } running
            && running.Deserialize(MapFiguresJson.Default.MapFigures) is { } figures)
            results.Add(Others(figures.Counters.DeletedByOthers));
        return results;
    }

    internal static CheckResult Unused(string source, bool isFiltered) => isFiltered
        ? CheckResult.Warn(
            "map",
            $"{source} is there, but not used",
            $"set Map:Path={source} to have it cleaned, and take Tap:Filter out: the two exclude each other")
        : CheckResult.Warn("map", $"{source} is there, but not used", $"set Map:Path={source} to have it cleaned");

    /// <summary>Only a pin that may come yet does not keep the service from starting.</summary>
    internal static CheckResult Unusable(FlowMapException e, string source) =>
        new(
            e.Errno == Errno.ENOENT && !source.StartsWith("id:", StringComparison.Ordinal) ? CheckLevel.Warn : CheckLevel.Fail,
            "map",
            e.Message);

    internal static CheckResult Layout(FlowMapInfo map) => CheckResult.Ok(
        "map", string.Create(
            CultureInfo.InvariantCulture, $"{map.Source}: id {map.Id}, layout {map.Layout}, {map.Capacity} entries at most; readable"));

    /// <summary>
    /// An agent that starts again makes a map and pins it in the old one's place, while programs that it attached before keep theirs: then
    /// the service cleans a map that no packet sees.
    /// </summary>
    /// <param name="loaded">Null where they may not be listed.</param>
    internal static IEnumerable<CheckResult> Twins(FlowMapInfo map, IReadOnlyList<LoadedMap>? loaded)
    {
        LoadedMap[] others = [.. (loaded ?? []).Where(other => other.Id != map.Id && other.Name == map.Name && other.Layout == map.Layout)];
        if (loaded is null)
            yield return CheckResult.Ok("map twins", "not looked for: listing the machine's maps needs CAP_SYS_ADMIN");
        else if (others.Length > 0)
        {
            string ids = string.Join(", ", others.Select(static other => string.Create(CultureInfo.InvariantCulture, $"id {other.Id}")));
            string finding = string.Create(
                CultureInfo.InvariantCulture,
                $"{map.Source} is map id {map.Id}, but other loaded maps have its name '{map.Name}' and its layout: {ids}; programs from "
                    + $"before an agent's restart may use one of them");
            yield return CheckResult.Warn(
                "map twins", finding, string.Create(
                    CultureInfo.InvariantCulture,
                    $"see which map the attached programs use (bpftool prog show: map_ids); where it is not {map.Id}, set "
                        + $"Map:Path=id:{others[0].Id} until the pods on this node are started again, or start them again now"));
        }
    }

    internal static CheckResult Fill(in FlowMapScan scan, FlowMapInfo map)
    {
        double percent = 100.0 * (scan.Entries + scan.Junk) / map.Capacity;
        string finding = string.Create(
            CultureInfo.InvariantCulture, $"{scan.Entries} of {map.Capacity} ({percent:F1} %), {scan.Junk} junk");
        return map.EvictsFrom is { } full && scan.Entries + scan.Junk >= full
            ? CheckResult.Warn(
                "map entries",
                finding,
                $"from {full} entries on the kernel evicts the least recently used, live ones too: clean it (Map:Mode=delete), or "
                + $"have the agent make it larger")
            : CheckResult.Ok("map entries", finding);
    }

    /// <param name="hasInterface">
    /// The namespace has the interface of an entry with a flow; a pod's own namespace sees its flows, but not the host's end of its link.
    /// </param>
    internal static CheckResult Share(long entries, long matched, bool hasInterface, string networkNamespace)
    {
        long without = entries - matched;
        string finding = string.Create(CultureInfo.InvariantCulture, $"{without} of {entries} entries have no flow in {networkNamespace}");
        if (matched == 0 && entries >= EnoughToTell)
            return CheckResult.Fail("map flows", $"{finding}: the wrong namespace", RightNamespace);
        if (matched > 0 && !hasInterface)
            return CheckResult.Fail(
                "map flows", $"{finding}, and the others have their interface in another: the wrong namespace", RightNamespace);
        return without * 2 > entries
            ? CheckResult.Warn(
                "map flows",
                finding,
                "a map nobody has cleaned, traffic under NOTRACK, or the wrong namespace: conntrack-stream map audit tells more")
            : CheckResult.Ok("map flows", finding);
    }

    internal static CheckResult Cleaner(AgentCleaner? agent, MapMode mode)
    {
        if (agent is null)
            return CheckResult.Ok(
                "map cleaner",
                $"no agent is seen among the processes here; to find out: kubectl -n kube-system get daemonset aws-node -o yaml | "
                + $"grep {AgentCleaner.Flag[2..]}");
        string finding = string.Create(
            CultureInfo.InvariantCulture,
            $"{agent.Process} cleans the map by itself each {agent.Seconds / 2} s "
                + $"({AgentCleaner.Flag}={agent.Seconds}{(agent.Period is null ? ", its default" : "")})");
        return (agent.Seconds < OneDay, mode) switch
        {
            (false, _) => CheckResult.Ok("map cleaner", finding),
            (_, MapMode.Delete) => CheckResult.Warn("map cleaner", $"{finding}, and so goes on to cut live connections", Remedy),
            _ => CheckResult.Ok("map cleaner", $"{finding}; once Map:Mode is delete, its period should be raised"),
        };
    }

    internal static CheckResult Others(long deleted) => deleted == 0
        ? CheckResult.Ok("map service", "the running service has seen no entry of a live flow deleted by somebody else")
        : CheckResult.Warn("map service", string.Create(CultureInfo.InvariantCulture, $"the running service has seen {deleted} entries of "
        + $"live flows deleted by somebody else"), Remedy);

    private static bool HasAny(HashSet<uint> interfaces, NetworkNamespace networkNamespace)
    {
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        return interfaces.Any(index => index == 0 || client.HasInterface(index) == true); // 0: the layout keeps none
    }

    private static CheckResult Writable(string source)
    {
        try
        {
            EbpfFlowMap.Open(source, forDeleting: true).Dispose();
            return CheckResult.Ok("map deleting", "permitted");
        }
        catch (FlowMapException e)
        {
            return CheckResult.Fail("map deleting", e.Message, "CAP_BPF (or CAP_SYS_ADMIN), and CAP_DAC_OVERRIDE for another user's pin");
        }
    }
}
