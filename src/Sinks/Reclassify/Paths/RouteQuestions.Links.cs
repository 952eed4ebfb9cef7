using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.Rtnetlink;

namespace ConntrackStream.Sinks.Reclassify.Paths;

// RTM_GETLINK, RTM_GETADDR and RTM_GETROUTE of one interface
public sealed partial class RouteQuestions
{
    private static readonly FlowFamily[] Families = [FlowFamily.IPv4, FlowFamily.IPv6];

    /// <summary>How an interface is; one that does not exist is an answer, too.</summary>
    /// <exception cref="NetlinkException">The kernel could not be asked.</exception>
    public LinkAnswer Link(string device)
    {
        lock (_asking)
            return GetLink(device);
    }

    /// <summary>The global addresses of an interface, each as a prefix of full length; none when there is no such interface.</summary>
    /// <exception cref="NetlinkException">The kernel could not be asked.</exception>
    public IReadOnlyList<IpPrefix> Addresses(string device)
    {
        lock (_asking)
        {
            List<IpPrefix> addresses = [];
            if (GetLink(device) is { Exists: true } link)
            {
                foreach (FlowFamily family in Families)
                    ReadAddresses(link.Index, family, addresses, device);
            }

            return addresses;
        }
    }

    /// <summary>
    /// Whether a flow of this family could take the path: one of its devices is up and running and has a global address of the family, or a
    /// route. A path without devices that has a mark or an address counts as usable, since nothing tells.
    /// </summary>
    /// <param name="path">The path.</param>
    /// <param name="family">The flow's.</param>
    /// <param name="why">Why not, naming each device.</param>
    /// <exception cref="NetlinkException">The kernel could not be asked.</exception>
    public bool IsUsable(UplinkPath path, FlowFamily family, out string? why)
    {
        why = path.Carries(family) ? path.WhyUnknown : $"path {path.Name} does not carry {family}";
        if (why is not null || path.Devices.Count == 0)
            return why is null;
        foreach (string device in path.Devices)
        {
            string? problem = Problem(device, family);
            if (problem is null)
            {
                why = null;
                return true;
            }

            why = why is null ? $"{device} {problem}" : $"{why}; {device} {problem}";
        }

        return false;
    }

    private string? Problem(string device, FlowFamily family)
    {
        lock (_asking)
        {
            LinkAnswer link = GetLink(device);
            if (link.Problem is { } problem)
                return problem;
            List<IpPrefix> addresses = [];
            ReadAddresses(link.Index, family, addresses, device);
            return addresses.Count > 0 || HasRoute(link.Index, family, device) ? null : $"has neither an {family} address nor a route";
        }
    }

    private LinkAnswer GetLink(string device)
    {
        RequestWriter request = Begin(RTM_GETLINK);
        request.Take(LinkHeaderLength);
        request.PutString(IFLA_IFNAME, device);
        LinkAnswer link = default;
        ErrorMessage outcome = Ask(ref request, message =>
        {
            ReadOnlySpan<byte> ifinfomsg = message[Nlmsg.HeaderLength..];
            if (ifinfomsg.Length < LinkHeaderLength)
                return;
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(ifinfomsg[8..]); // ifi_flags
            link = new LinkAnswer(MemoryMarshal.Read<int>(ifinfomsg[4..]), (flags & IFF_UP) != 0, (flags & IFF_RUNNING) != 0); // ifi_index
        });
        return outcome.Errno is Errno.None or Errno.ENODEV
            ? link
            : throw new NetlinkException($"looking up link {device}", outcome.Errno, outcome.Text);
    }

    private void ReadAddresses(int index, FlowFamily family, List<IpPrefix> addresses, string device)
    {
        RequestWriter request = Begin(RTM_GETADDR, Nlmsg.NLM_F_DUMP);
        Span<byte> ifaddrmsg = request.Take(AddressHeaderLength);
        ifaddrmsg[0] = (byte)family; // ifa_family
        BinaryPrimitives.WriteInt32LittleEndian(ifaddrmsg[4..], index); // ifa_index
        Dump(ref request, $"reading the {family} addresses of link {device}", message =>
        {
            if (ReadAddress(message[Nlmsg.HeaderLength..], family) is { } address)
                addresses.Add(new IpPrefix(address, 8 * LengthOf(family), family));
        });
    }

    private static IpAddress? ReadAddress(ReadOnlySpan<byte> message, FlowFamily family)
    {
        // A kernel without IPv6 answers with what it has: check the family. ifa_scope 0 is global (RT_SCOPE_UNIVERSE).
        if (message.Length < AddressHeaderLength || message[0] != (byte)family || message[3] != RT_SCOPE_UNIVERSE)
            return null;
        IpAddress? address = null;
        AttributeReader attributes = new(message[AddressHeaderLength..]);
        while (attributes.Next())
        {
            // Of a point-to-point link IFA_ADDRESS is the other end; IPv6 has IFA_LOCAL only there.
            bool isOwn = attributes.Type == IFA_LOCAL || (attributes.Type == IFA_ADDRESS && address is null);
            if (isOwn && attributes.Value.Length == LengthOf(family))
                address = AddressFrom(attributes.Value, family);
        }

        return address;
    }

    private bool HasRoute(int index, FlowFamily family, string device)
    {
        RequestWriter request = Begin(RTM_GETROUTE, Nlmsg.NLM_F_DUMP);
        request.Take(RouteHeaderLength)[0] = (byte)family; // rtm_family
        PutHostU32(ref request, RTA_OIF, (uint)index);
        bool has = false;
        Dump(
            ref request,
            $"reading the {family} routes of link {device}",
            message => has |= LeadsOn(message[Nlmsg.HeaderLength..], family));
        return has;
    }

    // Not those that every interface has once it is up: its own addresses, broadcast, fe80::/64 and ff00::/8.
    private static bool LeadsOn(ReadOnlySpan<byte> message, FlowFamily family)
    {
        if (message.Length < RouteHeaderLength || message[0] != (byte)family
            || message[RouteType] != RTN_UNICAST || message[RouteTable] == RT_TABLE_LOCAL)
            return false;
        AttributeReader attributes = new(message[RouteHeaderLength..]);
        while (attributes.Next())
        {
            if (attributes.Type == RTA_DST && family == FlowFamily.IPv6 && attributes.Value.Length == 16
                && attributes.Value[0] == 0xfe && (attributes.Value[1] & 0xc0) == 0x80)
                return false;
        }

        return true;
    }
}
