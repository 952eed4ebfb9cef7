namespace ConntrackStream.EventTap.Model;

/// <summary>IP protocol number (IANA). Any other number is kept as it is.</summary>
public enum IpProtocol : byte
{
    /// <summary>ICMP (RFC 792); its tuples hold type, code and id in place of ports.</summary>
    Icmp = 1,

    /// <summary>TCP (RFC 9293).</summary>
    Tcp = 6,

    /// <summary>UDP (RFC 768).</summary>
    Udp = 17,

    /// <summary>DCCP (RFC 4340).</summary>
    Dccp = 33,

    /// <summary>GRE (RFC 2784); its tuples hold the keys, which PPTP uses as call ids, in place of ports.</summary>
    Gre = 47,

    /// <summary>ICMPv6 (RFC 4443); as ICMP.</summary>
    IcmpV6 = 58,

    /// <summary>SCTP (RFC 9260).</summary>
    Sctp = 132,

    /// <summary>UDP-Lite (RFC 3828).</summary>
    UdpLite = 136,
}
