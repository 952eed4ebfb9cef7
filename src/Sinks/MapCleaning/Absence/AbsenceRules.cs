using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// What it may mean that the kernel's table has no entry for a connection: it is dead, or it may still be alive. An entry goes when its
/// connection is closed, but also on request, or when its timer is shorter than the connection's pauses. A peer may still send then, and
/// needs the map's key. The table in docs/safe-deletion.md is this class in words.
/// </summary>
/// <param name="kernel">The namespace's own timeouts.</param>
/// <param name="tcpPatience">How long a peer of an open TCP connection may pause after the kernel's timer has run out.</param>
/// <param name="udpPatience">The same for UDP and protocols without states, where the kernel's timeout for them is shorter.</param>
internal sealed class AbsenceRules(KernelTimeouts kernel, TimeSpan tcpPatience, TimeSpan udpPatience)
{
    private const ushort DnsPort = 53;

    /// <summary>What follows from an end.</summary>
    /// <param name="now">CLOCK_MONOTONIC in ns.</param>
    /// <returns>Null when the connection is dead.</returns>
    public Hold? OfEnd(in FlowChange end, long now)
    {
        ref readonly Flow flow = ref end.Flow;
        if (IsClosed(flow))
            return null;
        TimeSpan silence = Silence(flow);
        if (WasDeleted(end))
            silence = Longer(silence, TimeSpan.FromSeconds(end.TimeLeft));
        if (silence == TimeSpan.Zero)
            return null;
        return new Hold(now, (long)silence.TotalNanoseconds, !IsOpening(flow) && CannotReturn(flow.Original.Protocol));
    }

    /// <summary>What follows when a key has no entry and its flow's end was not observed: the entry may have been deleted.</summary>
    /// <param name="from">CLOCK_MONOTONIC in ns when the key was first found without an entry; 0 where
    /// the map records the last use.</param>
    public Hold OfUnknown(IpProtocol protocol, long from) => new(from, (long)Timeout(protocol).TotalNanoseconds, CannotReturn(protocol));

    /// <summary>
    /// The entry went before its time (by a request, or by the kernel itself: a full table, an interface that
    /// is gone), or was only found missing.
    /// </summary>
    public static bool WasDeleted(in FlowChange end) => end.Requester != 0 || end.TimeLeft > 0 || end.Origin != FlowOrigin.Event;

    /// <summary>Both sides have closed the connection, or one has reset it: only retransmissions follow.</summary>
    private static bool IsClosed(in Flow flow) => flow.Original.Protocol switch
    {
        IpProtocol.Tcp => flow.TcpState is TcpState.TimeWait or TcpState.Close,
        IpProtocol.Sctp => (SctpState)flow.ProtocolState == SctpState.Closed,
        _ => false,
    };

    /// <summary>The packet that comes next makes an entry, even where others do not.</summary>
    private static bool IsOpening(in Flow flow) => flow.Original.Protocol switch
    {
        IpProtocol.Tcp => flow.TcpState == TcpState.SynSent,
        IpProtocol.Sctp => (SctpState)flow.ProtocolState == SctpState.CookieWait,
        _ => false,
    };

    /// <summary>How long a peer may pause after the kernel's own timer has run out, and still send.</summary>
    private TimeSpan Silence(in Flow flow) => flow.Original.Protocol switch
    {
        IpProtocol.Tcp => flow.TcpState switch
        {
            TcpState.Established or TcpState.FinWait or TcpState.CloseWait or TcpState.None => Shorter(kernel.TcpEstablished, tcpPatience),
            _ => TimeSpan.Zero, // never established, or closed but for the last acknowledgement
        },
        IpProtocol.Sctp => (SctpState)flow.ProtocolState switch
        {
            SctpState.CookieWait or SctpState.CookieEchoed or SctpState.ShutdownAckSent => TimeSpan.Zero,
            _ => kernel.SctpEstablished,
        },
        IpProtocol.Icmp or IpProtocol.IcmpV6 => TimeSpan.Zero, // each answer has its question, which makes the key
        IpProtocol.Udp when IsQuery(flow) => TimeSpan.Zero, // the same
        _ => udpPatience == TimeSpan.Zero ? TimeSpan.Zero : Timeout(flow.Original.Protocol),
    };

    /// <summary>
    /// A question to a DNS server, which sends nothing unasked (RFC 1035), unless more went over the flow than question and answer. The
    /// kernel's own mark of a stream, IPS_ASSURED, is not enough for other ports: a server's rare pushes
    /// after one answer leave it unset as well.
    /// </summary>
    private static bool IsQuery(in Flow flow) =>
        flow.Original.DestinationPort == DnsPort && (flow.Status & FlowStatus.Assured) == FlowStatus.None;

    /// <summary>How long a connection of the protocol may be silent before it counts as dead, whatever its state.</summary>
    private TimeSpan Timeout(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => kernel.TcpEstablished,
        IpProtocol.Udp or IpProtocol.UdpLite => Longer(kernel.UdpStream, udpPatience),
        IpProtocol.Sctp => kernel.SctpEstablished,
        IpProtocol.Icmp => kernel.Icmp,
        IpProtocol.IcmpV6 => kernel.IcmpV6,
        IpProtocol.Gre => Longer(kernel.GreStream, udpPatience),
        _ => Longer(kernel.Generic, udpPatience),
    };

    /// <summary>
    /// With tcp_loose=0 only a SYN makes an entry. In SCTP INIT and HEARTBEAT do, DATA does not; a busy path sends no HEARTBEAT.
    /// </summary>
    private bool CannotReturn(IpProtocol protocol) => protocol == IpProtocol.Sctp || (protocol == IpProtocol.Tcp && !kernel.TcpLoose);

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
