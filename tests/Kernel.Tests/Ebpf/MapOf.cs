using System.Globalization;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Ebpf;

/// <summary>Keys to fill maps with, and maps as bpftool sees them.</summary>
internal static class MapOf
{
    internal const string Layout4 = "aws-npa-ipv4-key24-value16";

    internal static readonly MapValue Value = new(1, 123_456_789);

    /// <summary>TCP from 10.x.x.x port 1025 to 10.0.0.2 port 80, owned by the source; another key for each number.</summary>
    internal static MapKey Key(uint number, bool ipv6 = false, uint interfaceIndex = 7)
    {
        ulong high = ipv6 ? 0xfd00_0000_0000_0000 : 0, low = ipv6 ? 1u : 0x0a00_0000;
        FlowTuple tuple = new()
        {
            Source = new IpAddress(high, low + 0x1_0000 + number),
            Destination = new IpAddress(high, low + 2),
            SourcePort = 1025,
            DestinationPort = 80,
            Protocol = IpProtocol.Tcp,
            Family = ipv6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
        };
        return new MapKey(tuple, tuple.Source, interfaceIndex);
    }

    internal static EbpfFlowMap Filled(string layout, uint capacity, uint entries)
    {
        EbpfFlowMap map = EbpfFlowMap.Create(layout, capacity, "cs_test");
        for (uint i = 0; i < entries; i++)
            map.Insert(Key(i), Value);
        return map;
    }

    internal static (FlowMapScan Scan, List<MapEntry> Entries) ScanAll(IFlowMap map)
    {
        using MapEntryPool pool = new();
        List<MapEntry> entries = [];
        FlowMapScan scan = map.Scan(pool, batch =>
        {
            entries.AddRange(batch.Span);
            pool.Return(batch);
        }, TestContext.Current.CancellationToken);
        return (scan, entries);
    }

    /// <summary>Keys and values in hexadecimal, as bpftool reads them.</summary>
    internal static Dictionary<string, string> Bpftool(string pin)
    {
        using JsonDocument dump = JsonDocument.Parse(ToolRun.Output("bpftool", ["-j", "map", "dump", "pinned", pin]));
        return dump.RootElement.EnumerateArray()
            .ToDictionary(entry => Hex(entry.GetProperty("key")), entry => Hex(entry.GetProperty("value")), StringComparer.Ordinal);
    }

    /// <summary>Writes an entry by bpftool; both in hexadecimal, spaces allowed.</summary>
    internal static void Bpftool(string pin, string key, string value) =>
        ToolRun.Output("bpftool", ["map", "update", "pinned", pin, "key", "hex", .. Pairs(key), "value", "hex", .. Pairs(value)]);

    private static string Hex(JsonElement bytes) =>
        string.Concat(bytes.EnumerateArray().Select(b => b.GetString()![2..])).ToLower(CultureInfo.InvariantCulture);

    private static IEnumerable<string> Pairs(string hex) =>
        hex.Replace(" ", "", StringComparison.Ordinal).Chunk(2).Select(pair => new string(pair));
}
