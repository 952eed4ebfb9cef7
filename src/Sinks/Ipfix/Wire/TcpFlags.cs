using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>tcpControlBits (6): connection tracking keeps no flags, but its states follow from them.</summary>
internal static class TcpFlags
{
    private const byte Fin = 0x01;
    private const byte Syn = 0x02;
    private const byte Rst = 0x04;
    private const byte Ack = 0x10;

    /// <summary>Flags that both directions together have shown, as far as the last state implies them; 0: not TCP, or not known.</summary>
    internal static byte Of(in Flow flow) => flow.TcpState switch
    {
        TcpState.SynSent or TcpState.SynSent2 => Syn,
        TcpState.SynReceived or TcpState.Established => Syn | Ack,
        TcpState.FinWait or TcpState.CloseWait or TcpState.LastAck or TcpState.TimeWait => Syn | Ack | Fin,
        TcpState.Close => Syn | Ack | Rst,
        _ => 0,
    };
}
