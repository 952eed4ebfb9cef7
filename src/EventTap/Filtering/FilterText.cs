using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>
/// Reads the values of a <see cref="FlowFilter"/> as conntrack-tools spells them; each failure says what is allowed. Addresses, marks and
/// statuses have their own: <see cref="IpPrefix.TryParse"/>, <see cref="MarkMatch.TryParse"/>, <see cref="StatusMatch.TryParse"/>.
/// </summary>
public static class FilterText
{
    private static readonly (string Name, IpProtocol Protocol)[] Protocols =
    [
        .. new[]
        {
            IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.UdpLite, IpProtocol.Sctp, IpProtocol.Dccp, IpProtocol.Gre, IpProtocol.Icmp,
            IpProtocol.IcmpV6,
        }.Select(static protocol => (protocol.Name(), protocol)),
    ];

    // LISTEN is the name that the number of SYN_SENT2 had before 2.6.30.
    private static readonly (string Name, TcpState State)[] States =
    [
        .. Enum.GetValues<TcpState>().Select(static state => (Encoding.ASCII.GetString(state.Utf8Name()), state)),
        ("LISTEN", TcpState.SynSent2),
    ];

    private static readonly (string Name, FlowFamily Family)[] Families =
        [(FlowFamily.IPv4.Name(), FlowFamily.IPv4), (FlowFamily.IPv6.Name(), FlowFamily.IPv6)];

    /// <summary>A name such as <c>tcp</c>, in any case, or a number from 0 to 255.</summary>
    public static bool TryParseProtocol(string? text, out IpProtocol protocol, [NotNullWhen(false)] out string? error)
    {
        error = null;
        if (byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte number))
        {
            protocol = (IpProtocol)number;
            return true;
        }

        return TryParseName(text, Protocols, "a protocol", ", or a number from 0 to 255", out protocol, ref error);
    }

    /// <summary>A TCP state such as <c>ESTABLISHED</c>, in any case.</summary>
    public static bool TryParseState(string? text, out TcpState state, [NotNullWhen(false)] out string? error)
    {
        error = null;
        return TryParseName(text, States, "a TCP state", "", out state, ref error);
    }

    /// <summary><c>ipv4</c> or <c>ipv6</c>.</summary>
    public static bool TryParseFamily(string? text, out FlowFamily family, [NotNullWhen(false)] out string? error)
    {
        error = null;
        return TryParseName(text, Families, "a family", "", out family, ref error);
    }

    /// <summary>A port from 0 to 65535.</summary>
    public static bool TryParsePort(string? text, out ushort port, [NotNullWhen(false)] out string? error) =>
        TryParseUInt16(text, "a port", out port, out error);

    /// <summary>A conntrack zone from 0 to 65535.</summary>
    public static bool TryParseZone(string? text, out ushort zone, [NotNullWhen(false)] out string? error) =>
        TryParseUInt16(text, "a zone", out zone, out error);

    private static bool TryParseName<T>(
        string? text, (string Name, T Value)[] names, string what, string alternative, out T value, [NotNullWhen(false)] ref string? error)
    {
        foreach ((string name, T candidate) in names)
        {
            if (!name.Equals(text, StringComparison.OrdinalIgnoreCase))
                continue;
            value = candidate;
            return true;
        }

        value = default!;
        error = $"'{text}' is not {what}; allowed are {string.Join(", ", names.Select(n => n.Name))}{alternative}";
        return false;
    }

    private static bool TryParseUInt16(string? text, string what, out ushort value, [NotNullWhen(false)] out string? error)
    {
        bool parsed = ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        error = parsed ? null : $"'{text}' is not {what}: a number from 0 to 65535";
        return parsed;
    }
}
