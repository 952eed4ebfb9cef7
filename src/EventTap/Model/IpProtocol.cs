namespace ConntrackStream.EventTap.Model;

/// <summary>IP protocol number (IANA). Any other number is kept as it is.</summary>
public enum IpProtocol : byte
{
    Icmp = 1,
    Tcp = 6,
    Udp = 17,
    Dccp = 33,
    Gre = 47,
    IcmpV6 = 58,
    Sctp = 132,
    UdpLite = 136,
}
