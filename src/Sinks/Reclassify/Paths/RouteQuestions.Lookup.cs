using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.Rtnetlink;

namespace ConntrackStream.Sinks.Reclassify.Paths;

// RTM_GETROUTE of one destination
public sealed partial class RouteQuestions
{
    private const int RouteDestinationLength = 1, RouteSourceLength = 2, RouteTable = 4, RouteType = 7, RouteFlags = 8; // struct rtmsg

    /// <summary>
    /// Which way a packet with this mark would go. With a source that is not this machine's, as of a packet to forward: one that came in by
    /// the interface the source is reached by, so that rules by source and by incoming interface, and reverse path filters, count.
    /// </summary>
    /// <exception cref="NetlinkException">The kernel could not be asked, or refused the question.</exception>
    public RouteAnswer Lookup(FlowFamily family, IpAddress destination, uint mark, IpAddress? source = null)
    {
        lock (_asking)
        {
            Question question = new(family, destination, mark, source, InputInterface: 0);
            if (source is { } from)
            {
                RouteAnswer back = Judge(new Question(family, from, Mark: 0, Source: null, InputInterface: 0));
                if (back.Leads)
                    question = question with { InputInterface = back.Interface };
                else if (back.Kind != RouteKind.Local)
                    return back;
            }

            return Judge(question);
        }
    }

    private RouteAnswer Judge(in Question question)
    {
        Route route = Get(question, question.Family == FlowFamily.IPv4 ? RTM_F_FIB_MATCH | RTM_F_LOOKUP_TABLE : RTM_F_FIB_MATCH);
        RouteKind kind = KindOf(question.Family, route);
        // Several next hops, or a next hop object: which one it would be?
        if (kind is RouteKind.Direct or RouteKind.Uplink && route.Interface == 0)
        {
            Route chosen = Get(question, flags: 0);
            kind = chosen.Errno != Errno.None ? KindOf(question.Family, chosen)
                : chosen.HasGateway ? RouteKind.Uplink
                : kind;
            route = route with { Interface = chosen.Interface, Errno = chosen.Errno };
        }

        return new RouteAnswer(
            kind,
            kind is RouteKind.Direct or RouteKind.Uplink or RouteKind.Local ? route.Interface : 0,
            route.Table,
            route.PrefixLength,
            route.Errno);
    }

    private Route Get(in Question question, uint flags)
    {
        FlowFamily family = question.Family;
        byte bits = (byte)(8 * LengthOf(family));
        RequestWriter request = Begin(RTM_GETROUTE);
        Span<byte> rtmsg = request.Take(RouteHeaderLength);
        rtmsg[0] = (byte)family; // rtm_family; AF_INET and AF_INET6 are numbered like NFPROTO_*
        rtmsg[RouteDestinationLength] = bits; // rtm_dst_len
        rtmsg[RouteSourceLength] = question.Source is null ? (byte)0 : bits; // rtm_src_len
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(rtmsg[RouteFlags..], flags); // rtm_flags
        PutAddress(ref request, RTA_DST, question.Destination, family);
        if (question.Source is { } source)
            PutAddress(ref request, RTA_SRC, source, family);
        if (question.InputInterface != 0)
            PutHostU32(ref request, RTA_IIF, (uint)question.InputInterface);
        PutHostU32(ref request, RTA_MARK, question.Mark);
        Route route = default;
        ErrorMessage outcome = Ask(ref request, message => route = Read(message[Nlmsg.HeaderLength..]));
        return outcome.Errno switch
        {
            Errno.None => route,
            Errno.ENETUNREACH or Errno.EHOSTUNREACH or Errno.EACCES or Errno.EINVAL when outcome.Text is null =>
                new Route { Errno = outcome.Errno },
            _ => throw new NetlinkException(
                $"looking up the route to {question.Destination.ToIPAddress(family)} with mark 0x{question.Mark:x}",
                outcome.Errno,
                outcome.Text),
        };
    }

    private static Route Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < RouteHeaderLength)
            return default;
        Route route = new() { Type = message[RouteType], PrefixLength = message[RouteDestinationLength], Table = message[RouteTable] };
        AttributeReader attributes = new(message[RouteHeaderLength..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case RTA_OIF:
                    route.Interface = (int)HostU32(attributes.Value);
                    break;
                case RTA_TABLE:
                    route.Table = HostU32(attributes.Value);
                    break;
                case RTA_GATEWAY or RTA_VIA:
                    route.HasGateway = true;
                    break;
                case RTA_MULTIPATH or RTA_NH_ID:
                    route.HasNextHops = true;
                    break;
            }
        }

        if (route.HasNextHops)
            route.Interface = 0; // of one of them, which need not be the one
        return route;
    }

    private static RouteKind KindOf(FlowFamily family, in Route route) => route.Errno switch
    {
        Errno.None => route.Type switch
        {
            RTN_UNICAST => route.HasGateway || IsDefault(family, route.PrefixLength) ? RouteKind.Uplink : RouteKind.Direct,
            RTN_LOCAL or RTN_BROADCAST or RTN_ANYCAST or RTN_MULTICAST => RouteKind.Local,
            RTN_PROHIBIT => RouteKind.Prohibit,
            RTN_BLACKHOLE => RouteKind.Blackhole,
            _ => RouteKind.Unreachable, // RTN_UNREACHABLE, RTN_THROW
        },
        Errno.EACCES => RouteKind.Prohibit,
        Errno.EINVAL => RouteKind.Blackhole, // fib_props[RTN_BLACKHOLE].error
        _ => RouteKind.Unreachable,
    };

    // VPNs put 0.0.0.0/1 and 128.0.0.0/1, or 2000::/3, before the default route instead of replacing it; no network of one's own is that
    // large.
    private static bool IsDefault(FlowFamily family, int prefixLength) => prefixLength <= (family == FlowFamily.IPv4 ? 1 : 3);

    private readonly record struct Question(FlowFamily Family, IpAddress Destination, uint Mark, IpAddress? Source, int InputInterface)
    {
        public override int GetHashCode() => KeyedHash.Start.Add(Destination).Add(Source.GetValueOrDefault())
            .Add((ulong)Mark << 32 | (uint)InputInterface).Add(Source is null ? 0UL : 1UL).Add((ulong)Family).Code;
    }

    private record struct Route(byte Type, int PrefixLength, uint Table, int Interface, bool HasGateway, bool HasNextHops, Errno Errno);
}
