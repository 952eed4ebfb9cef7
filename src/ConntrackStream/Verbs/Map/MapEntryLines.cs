using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Map;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Verbs.Map;

/// <summary>The lines of <c>map show</c>, and what it counts. Not thread-safe.</summary>
internal sealed class MapEntryLines(CliContext context, FlowFilter filter, bool onlyStale, bool json) : IDisposable
{
    private static readonly ConntrackTextOptions FlowText = new() { Id = true };

    private readonly StreamWriter _output = new(
        context.Output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 64 * 1024, leaveOpen: true);
    private readonly byte[] _flow = new byte[ConntrackText.MaxLineBytes];
    private long _shown, _withFlow, _without;

    internal void Write(in MapMatch match, in MapValue value)
    {
        _ = match.HasFlow ? _withFlow++ : _without++;
        if ((onlyStale && match.HasFlow) || !filter.Matches(new Flow { Original = match.Key.Tuple }))
            return;
        _shown++;
        MapEntryRecord entry = MapEntryRecord.Of(match, IdleSeconds(value));
        _output.Write(json ? entry.ToJson() : $"{entry.KeyText()}{Idle(entry)} | {Describe(match)}");
        _output.Write('\n');
    }

    internal void Flush() => _output.Flush();

    internal string Summary(FlowMapInfo map, in FlowMapScan scan) => string.Create(
        CultureInfo.InvariantCulture,
        $"{_shown} entries have been shown. Map {map.Source} (id {map.Id}, layout {map.Layout}): {scan.Entries} entries, "
            + $"{Percent(scan, map):F1} % of {map.Capacity}; {_withFlow} with a flow, {_without} without, {scan.Junk} "
            + $"junk{Full(scan, map)}.");

    public void Dispose() => _output.Dispose();

    private static string Full(in FlowMapScan scan, FlowMapInfo map) => map.EvictsFrom is { } full && scan.Entries + scan.Junk >= full
        ? string.Create(CultureInfo.InvariantCulture, $". It is full: from {full} entries on the kernel evicts the least recently used")
        : "";

    private static double Percent(in FlowMapScan scan, FlowMapInfo map) => 100.0 * (scan.Entries + scan.Junk) / map.Capacity;

    private static string Idle(MapEntryRecord entry) =>
        entry.IdleSeconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $" idle={seconds:F1}s") : "";

    /// <summary>last_seen is of CLOCK_MONOTONIC, as the runtime's own timestamps are.</summary>
    private double? IdleSeconds(in MapValue value) => value.LastSeen == 0
        ? null
        : Math.Round((context.Time.GetTimestamp() * (1e9 / context.Time.TimestampFrequency) - value.LastSeen) / 1e9, 3);

    private string Describe(in MapMatch match) => match switch
    {
        { HasFlow: false, IsShared: true } => "no flow in this namespace (its key has no ports: any between these addresses would do)",
        { HasFlow: false } => "no flow in this namespace",
        { IsShared: true } => "some flow between these addresses (its key has no ports)",
        _ => Encoding.UTF8.GetString(
            _flow.AsSpan(0, ConntrackText.Write(_flow, new FlowEvent { Flow = match.Flow, Type = FlowEventType.Row }, FlowText))),
    };
}
