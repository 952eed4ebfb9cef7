using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>What a new entry's source or destination is translated to; a part that is null stays as it is.</summary>
public readonly record struct NatTarget(IpAddress? Address, ushort? Port)
{
    /// <param name="type">CTA_NAT_SRC or CTA_NAT_DST.</param>
    internal void Put(ref RequestWriter request, ushort type, FlowFamily family)
    {
        int nest = request.BeginNest(type);
        if (Address is { } address)
        {
            (ushort least, ushort most, int length) = family == FlowFamily.IPv6
                ? (CTA_NAT_V6_MINIP, CTA_NAT_V6_MAXIP, 16)
                : (CTA_NAT_V4_MINIP, CTA_NAT_V4_MAXIP, 4);
            address.WriteTo(request.Put(least, length), family);
            address.WriteTo(request.Put(most, length), family);
        }

        if (Port is { } port)
        {
            int protocol = request.BeginNest(CTA_NAT_PROTO);
            request.PutU16(CTA_PROTONAT_PORT_MIN, port);
            request.PutU16(CTA_PROTONAT_PORT_MAX, port);
            request.EndNest(protocol);
        }

        request.EndNest(nest);
    }
}
