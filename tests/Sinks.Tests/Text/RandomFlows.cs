using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Tests;

/// <summary>
/// Seeded flow events of every protocol, with every field now there and now not, as the kernel's messages may carry them.
/// </summary>
internal sealed class RandomFlows(int seed)
{
    private static readonly byte[] Protocols = [1, 6, 17, 33, 47, 50, 58, 132, 136, 0, 255];

    private readonly Random _random = new(seed);

    internal FlowEvent Next()
    {
        FlowFamily family = Flip() ? FlowFamily.IPv4 : FlowFamily.IPv6;
        IpProtocol protocol = (IpProtocol)Protocols[_random.Next(Protocols.Length)];
        FlowEvent e = new()
        {
            Type = (FlowEventType)_random.Next(4),
            Time = 1_700_000_000_123_456_000 + (_random.NextInt64(1_000_000_000) * 1_000_000),
        };
        ref Flow flow = ref e.Flow;
        flow.Original = Tuple(family, protocol);
        flow.Reply = Tuple(family, protocol);
        flow.Present = FlowFields.BothTuples | FlowFields.Status;
        flow.Status = (FlowStatus)(_random.Next(1 << 16) & 0xC006);
        if (e.Type != FlowEventType.Row && _random.Next(8) == 0)
            e.PortId = Number();
        Zones(ref flow);
        Fields(ref flow);
        Times(ref flow, e.Time);
        Extras(ref flow);
        return e;
    }

    private void Fields(ref Flow flow)
    {
        flow.Timeout = Maybe(ref flow, FlowFields.Timeout);
        flow.Mark = Maybe(ref flow, FlowFields.Mark);
        flow.Use = Maybe(ref flow, FlowFields.Use);
        flow.Id = Maybe(ref flow, FlowFields.Id);
        flow.OriginalPackets = Maybe(ref flow, FlowFields.OriginalCounters);
        flow.OriginalBytes = flow.OriginalPackets * Number();
        flow.ReplyPackets = Maybe(ref flow, FlowFields.ReplyCounters);
        flow.ReplyBytes = flow.ReplyPackets * Number();
        if (flow.Original.Protocol is IpProtocol.Tcp or IpProtocol.Sctp or IpProtocol.Dccp && Flip())
        {
            flow.Present |= FlowFields.ProtocolState;
            flow.ProtocolState = (byte)_random.Next(12);
        }
    }

    private void Zones(ref Flow flow)
    {
        ushort zone = (ushort)_random.Next(1, 65536);
        int kind = _random.Next(8);
        flow.Original.Zone = kind is 1 or 2 ? zone : (ushort)0;
        flow.Reply.Zone = kind is 1 or 3 ? zone : (ushort)0;
    }

    private void Times(ref Flow flow, long now)
    {
        if (_random.Next(4) != 0)
            return;
        flow.Present |= FlowFields.StartTime;
        flow.StartTime = now - (_random.NextInt64(1_000_000_000_000) * 1_000); // whole microseconds: what a record holds
        if (!Flip())
            return;
        flow.Present |= FlowFields.StopTime;
        flow.StopTime = flow.StartTime + (_random.NextInt64(1_000_000_000) * 1_000);
    }

    private void Extras(ref Flow flow)
    {
        if (_random.Next(4) != 0)
            return;
        flow.Extras = new FlowExtras
        {
            Helper = Flip() ? "netbios-ns" : null,
            SecurityContext = Flip() ? "system_u:object_r:unlabeled_t:s0" : null,
            HasLabels = Flip(),
        };
        if (flow.Extras.HasLabels)
            flow.Extras.Labels = UInt128.One << _random.Next(4) | (UInt128)(uint)_random.Next(8) << 60;
    }

    private FlowTuple Tuple(FlowFamily family, IpProtocol protocol) => new()
    {
        Source = Address(family),
        Destination = Address(family),
        SourcePort = HasPorts(protocol) ? (ushort)Number() : (ushort)0,
        DestinationPort = HasPorts(protocol) ? (ushort)Number() : (ushort)0,
        Protocol = protocol,
        Family = family,
    };

    private static bool HasPorts(IpProtocol protocol) => (byte)protocol is not (0 or 50 or 255);

    private IpAddress Address(FlowFamily family)
    {
        if (family == FlowFamily.IPv4)
            return new IpAddress(0, Number());
        ulong high = (ulong)_random.NextInt64() >> (16 * _random.Next(5));
        ulong low = (ulong)_random.NextInt64() >> (16 * _random.Next(4));
        return _random.Next(4) == 0
            ? new IpAddress(0, 0xFFFF_0000_0000UL | (uint)low)
            : new IpAddress(Flip() ? high : high & 0xFFFF_0000, low);
    }

    private uint Maybe(ref Flow flow, FlowFields field)
    {
        if (!Flip())
            return 0;
        flow.Present |= field;
        return Number();
    }

    private uint Number() => (uint)_random.NextInt64(1L << 32) >> _random.Next(32);

    private bool Flip() => _random.Next(2) == 0;
}
