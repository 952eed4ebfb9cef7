using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;

namespace ConntrackStream.Kernel.Tests.Ipfix;

/// <summary>One flow as a reader shows it, all of its records together; what a reader does not show is empty.</summary>
/// <param name="Ends">Protocol, source and destination.</param>
/// <param name="Translated">The same after NAT.</param>
/// <param name="Forward">Packets and bytes.</param>
/// <param name="Reverse">The same of the other direction.</param>
/// <param name="Times">First and last, to the millisecond.</param>
/// <param name="Zone">The conntrack zone.</param>
/// <param name="Identity">Mark, conntrack id, flow id.</param>
internal sealed record FlowView(
    string Ends,
    string Translated,
    (ulong Packets, ulong Bytes) Forward,
    (ulong Packets, ulong Bytes) Reverse,
    (string First, string Last) Times,
    string Zone,
    string Identity = "")
{
    private const uint Icmp = 1, IcmpV6 = 58;

    /// <summary>Sorted, and each flow once.</summary>
    internal static List<FlowView> Join(IEnumerable<FlowView> records) =>
    [
        .. records.GroupBy(static record => record.Ends, StringComparer.Ordinal).OrderBy(static flow => flow.Key, StringComparer.Ordinal)
            .Select(static flow => flow.Aggregate(static (all, one) => all with
            {
                Forward = (all.Forward.Packets + one.Forward.Packets, all.Forward.Bytes + one.Forward.Bytes),
                Reverse = (all.Reverse.Packets + one.Reverse.Packets, all.Reverse.Bytes + one.Reverse.Bytes),
                Times = (Min(all.Times.First, one.Times.First), Max(all.Times.Last, one.Times.Last)),
            })),
    ];

    /// <summary>What the flow log says of an end.</summary>
    internal static FlowView OfLog(JsonElement end)
    {
        uint protocol = end.GetProperty("proto_num").GetUInt32();
        bool isIcmp = protocol is Icmp or IcmpV6;
        string source = isIcmp ? "0" : Text(end, "sport");
        string destination = isIcmp
            ? Number((end.GetProperty("icmp_type").GetUInt32() << 8) + end.GetProperty("icmp_code").GetUInt32())
            : Text(end, "dport");
        string id = end.GetProperty("flow_id").GetString()!;
        return new FlowView(
            EndsOf(Number(protocol), Text(end, "src"), source, Text(end, "dst"), destination),
            EndsOf(
                Number(protocol), Text(end, "reply_dst"), isIcmp ? source : Text(end, "reply_dport"),
                Text(end, "reply_src"), isIcmp ? destination : Text(end, "reply_sport")),
            (end.GetProperty("tx_packets").GetUInt64(), end.GetProperty("tx_bytes").GetUInt64()),
            (end.GetProperty("rx_packets").GetUInt64(), end.GetProperty("rx_bytes").GetUInt64()),
            (Text(end, "start")[..23], Text(end, "end")[..23]),
            Text(end, "zone"),
            IdentityOf(
                end.TryGetProperty("mark", out JsonElement mark) ? mark.GetUInt32() : 0, end.GetProperty("ct_id").GetUInt32(),
                ulong.Parse(id[^17..].Replace("-", "", StringComparison.Ordinal), NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
    }

    internal static FlowView OfNfdump(JsonElement record)
    {
        bool isIPv6 = record.TryGetProperty("src6_addr", out _), isIcmp = record.TryGetProperty("icmp_type", out JsonElement type);
        string source = isIcmp ? "0" : Text(record, "src_port");
        string destination = isIcmp
            ? Number((type.GetUInt32() << 8) + record.GetProperty("icmp_code").GetUInt32())
            : Text(record, "dst_port");
        string protocol = Text(record, "proto"), version = isIPv6 ? "6" : "4";
        return new FlowView(
            EndsOf(protocol, Text(record, $"src{version}_addr"), source, Text(record, $"dst{version}_addr"), destination),
            isIPv6
                ? ""
                : EndsOf(
                    protocol, Text(record, "src4_xlt_ip"), Text(record, "src_xlt_port"), Text(record, "dst4_xlt_ip"),
                    Text(record, "dst_xlt_port")),
            (record.GetProperty("in_packets").GetUInt64(), record.GetProperty("in_bytes").GetUInt64()),
            (Count(record, "out_packets"), Count(record, "out_bytes")),
            (Text(record, "first"), Text(record, "last")),
            Text(record, "ingress_vrf"));
    }

    internal static FlowView OfNfacctd(JsonElement record)
    {
        string protocol = Text(record, "ip_proto") switch
        {
            "tcp" => "6",
            "udp" => "17",
            "icmp" => "1",
            "ipv6-icmp" => "58",
            string other => other,
        };
        bool isIPv6 = Text(record, "ip_src").Contains(':', StringComparison.Ordinal);
        return new FlowView(
            EndsOf(protocol, Text(record, "ip_src"), Text(record, "port_src"), Text(record, "ip_dst"), Text(record, "port_dst")),
            EndsOf(
                protocol, Text(record, isIPv6 ? "post_src6" : "post_nat_ip_src"), Text(record, "post_nat_port_src"),
                Text(record, isIPv6 ? "post_dst6" : "post_nat_ip_dst"), Text(record, "post_nat_port_dst")),
            (record.GetProperty("packets").GetUInt64(), record.GetProperty("bytes").GetUInt64()),
            (ulong.Parse(Text(record, "rev_packets"), CultureInfo.InvariantCulture),
                ulong.Parse(Text(record, "rev_bytes"), CultureInfo.InvariantCulture)),
            (Text(record, "timestamp_start").Replace(' ', 'T')[..23], Text(record, "timestamp_end").Replace(' ', 'T')[..23]),
            Text(record, "zone"),
            IdentityOf(
                uint.Parse(Text(record, "nf_mark"), CultureInfo.InvariantCulture),
                uint.Parse(Text(record, "nf_id"), CultureInfo.InvariantCulture),
                ulong.Parse(Text(record, "flow_id"), CultureInfo.InvariantCulture)));
    }

    internal static FlowView OfTshark(XElement record)
    {
        bool isIPv6 = record.Descendants().Any(static field => Name(field) == "srcaddrv6");
        string protocol = Field(record, "protocol"), suffix = isIPv6 ? "v6" : "";
        (string postSource, string postDestination) = isIPv6
            ? ("post_nat_source_ipv6_address", "post_nat_destination_ipv6_address")
            : ("post_natsource_ipv4_address", "post_natdestination_ipv4_address");
        uint[] own = [.. Fields(record, "enterprise_private_entry", "value").Select(
            static hex => uint.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
        ulong[] packets = [.. Fields(record, "packets").Select(Parse)], bytes = [.. Fields(record, "octets").Select(Parse)];
        return new FlowView(
            EndsOf(
                protocol, Field(record, $"srcaddr{suffix}"), Field(record, "srcport"), Field(record, $"dstaddr{suffix}"),
                Field(record, "dstport")),
            EndsOf(
                protocol, Field(record, postSource), Field(record, "post_naptsource_transport_port"),
                Field(record, postDestination), Field(record, "post_naptdestination_transport_port")),
            (packets[0], bytes[0]),
            (packets[1], bytes[1]),
            (Time(Field(record, "abstimestart")), Time(Field(record, "abstimeend"))),
            Field(record, "ingress_vrfid"),
            IdentityOf(own[0], own[1], Parse(Field(record, "flow_id"))));
    }

    /// <summary>A field that occurs once.</summary>
    internal static string Field(XElement record, string name) => Fields(record, name).Single();

    private static IEnumerable<string> Fields(XElement record, string name, string attribute = "show") =>
        record.Descendants("field").Where(field => Name(field) == name).Select(field => field.Attribute(attribute)!.Value);

    private static string? Name(XElement field) => field.Attribute("name")?.Value.Replace("cflow.", "", StringComparison.Ordinal);

    private static string EndsOf(string protocol, string source, string sourcePort, string destination, string destinationPort) =>
        $"{protocol} {source} {sourcePort} > {destination} {destinationPort}";

    private static string IdentityOf(uint mark, uint id, ulong flow) =>
        string.Create(CultureInfo.InvariantCulture, $"mark {mark:x} id {id} flow {flow:x}");

    private static string Text(JsonElement record, string name) => record.GetProperty(name).ToString();

    private static ulong Count(JsonElement record, string name) =>
        record.TryGetProperty(name, out JsonElement count) ? count.GetUInt64() : 0;

    private static ulong Parse(string number) => ulong.Parse(number, CultureInfo.InvariantCulture);

    private static string Number(uint number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>As tshark shows it: Nov 29, 2026 13:01:35.993000000 UTC.</summary>
    private static string Time(string shown) => DateTime.ParseExact(
        shown.Replace("  ", " ", StringComparison.Ordinal), "MMM d, yyyy HH:mm:ss.fff'000000 UTC'", CultureInfo.InvariantCulture)
        .ToString("yyyy-MM-dd'T'HH:mm:ss.fff", CultureInfo.InvariantCulture);

    private static string Min(string one, string other) => string.CompareOrdinal(one, other) <= 0 ? one : other;

    private static string Max(string one, string other) => string.CompareOrdinal(one, other) >= 0 ? one : other;
}
