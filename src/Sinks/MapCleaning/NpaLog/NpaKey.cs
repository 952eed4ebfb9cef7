using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>A key of the agent's map, as its log spells it (utils.ConntrackKey, utils.ConntrackKeyV6).</summary>
/// <param name="Tuple">Ports are 0 for ICMP and whatever else the agent's program reads no ports of; the zone is unknown, 0.</param>
/// <param name="Owner">The pod whose program made the entry; null where the line leaves it out (before November 2023).</param>
/// <param name="Ifindex">null where the key has none (up to 1.3.5).</param>
internal sealed record NpaKey(FlowTuple Tuple, IpAddress? Owner, uint? Ifindex)
{
    internal string? OwnerText => Owner?.ToIPAddress(Tuple.Family).ToString();

    /// <summary>
    /// Reads <c>Conntrack Key : Source IP - 10.0.1.5 Source port - 33794 Dest IP - 10.0.2.7 Dest port - 443 Protocol - 6 Owner IP -
    /// 10.0.1.5 Ifindex - 3</c>, the Sprintf format of CleanupConntrackMap and Cleanupv6ConntrackMap; the last field since the key has it
    /// (after 1.3.5), the last but one since November 2023.
    /// </summary>
    /// <returns>null when it is not whole.</returns>
    internal static NpaKey? Parse(ReadOnlySpan<byte> text)
    {
        int at = text.IndexOf("Source IP - "u8);
        if (at < 0)
            return null;
        text = text[at..];
        ReadOnlySpan<byte> source = Field(ref text, "Source IP - "u8);
        ReadOnlySpan<byte> sourcePort = Field(ref text, "Source port - "u8);
        ReadOnlySpan<byte> destination = Field(ref text, "Dest IP - "u8);
        ReadOnlySpan<byte> destinationPort = Field(ref text, "Dest port - "u8);
        ReadOnlySpan<byte> protocol = Field(ref text, "Protocol - "u8);
        ReadOnlySpan<byte> owner = Field(ref text, "Owner IP - "u8);
        ReadOnlySpan<byte> ifindex = Field(ref text, "Ifindex - "u8);
        FlowTuple tuple = new() { Family = source.Contains((byte)':') ? FlowFamily.IPv6 : FlowFamily.IPv4 };
        if (!AddressText.TryParse(source, tuple.Family, out tuple.Source)
            || !AddressText.TryParse(destination, tuple.Family, out tuple.Destination)
            || !NumberText.TryParse(sourcePort, ushort.MaxValue, out ulong sourceNumber)
            || !NumberText.TryParse(destinationPort, ushort.MaxValue, out ulong destinationNumber)
            || !NumberText.TryParse(protocol, byte.MaxValue, out ulong protocolNumber))
        {
            return null;
        }

        tuple.SourcePort = (ushort)sourceNumber;
        tuple.DestinationPort = (ushort)destinationNumber;
        tuple.Protocol = (IpProtocol)protocolNumber;
        return new NpaKey(
            tuple,
            AddressText.TryParse(owner, tuple.Family, out IpAddress ownerAddress) ? ownerAddress : null,
            NumberText.TryParse(ifindex, uint.MaxValue, out ulong index) ? (uint)index : null);
    }

    public override string ToString()
    {
        string text = TupleText.Describe(Tuple);
        if (Tuple.IsIcmp) // the key has no type, code or id
            text = text[..text.IndexOf(" type=", StringComparison.Ordinal)];
        string owner = Owner is null ? "" : $" owner={OwnerText}";
        return Ifindex is { } index ? string.Create(CultureInfo.InvariantCulture, $"{text}{owner} ifindex={index}") : text + owner;
    }

    /// <summary>The value after a label that must be next; blanks in between do not matter.</summary>
    private static ReadOnlySpan<byte> Field(ref ReadOnlySpan<byte> text, ReadOnlySpan<byte> label)
    {
        if (!text.StartsWith(label))
            return default;
        text = text[label.Length..];
        int end = text.IndexOfAny(" \t\",}"u8);
        ReadOnlySpan<byte> value = end < 0 ? text : text[..end];
        text = text[value.Length..].TrimStart((byte)' ');
        return value;
    }
}
