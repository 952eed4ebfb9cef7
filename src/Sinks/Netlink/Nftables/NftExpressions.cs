using System.Net;
using System.Net.Sockets;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Netlink.Nftables;

/// <summary>The expressions of an nftables rule. "Is" means: the rule goes on only if so.</summary>
internal static class NftExpressions
{
    private const int InterfaceNameLength = 16; // IFNAMSIZ

    /// <summary>
    /// Loads <c>ct state</c>. A rule that holds it makes the kernel register conntrack's hooks for the families of its table.
    /// </summary>
    internal static void LoadCtState(this ref RequestWriter rule) => rule.LoadCt(NFT_CT_STATE, NFT_REG_1);

    /// <summary>A packet of a tracked flow, in the direction of its first one.</summary>
    internal static void DirectionIsOriginal(this ref RequestWriter rule)
    {
        rule.LoadCt(NFT_CT_DIRECTION, NFT_REG_1);
        rule.IsEqual([0]); // IP_CT_DIR_ORIGINAL
    }

    /// <summary>
    /// The id of the packet's entry, in the bytes that CTA_ID has: ctnetlink puts the same number (nf_ct_get_id) as it is.
    /// </summary>
    internal static void LoadCtId(this ref RequestWriter rule, uint register) => rule.LoadCt(NFT_CT_ID, register);

    /// <summary>TCP with none of these flags.</summary>
    internal static void TcpWithout(this ref RequestWriter rule, byte flags)
    {
        rule.LoadMeta(NFT_META_L4PROTO);
        rule.IsEqual([(byte)ProtocolType.Tcp]);
        rule.LoadPayload(NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1); // tcphdr.flags
        Nests expression = rule.Begin("bitwise");
        rule.PutU32(NFTA_BITWISE_SREG, NFT_REG_1);
        rule.PutU32(NFTA_BITWISE_DREG, NFT_REG_1);
        rule.PutU32(NFTA_BITWISE_LEN, 1);
        rule.PutValue(NFTA_BITWISE_MASK, [flags]);
        rule.PutValue(NFTA_BITWISE_XOR, [0]);
        rule.End(expression);
        rule.IsEqual([0]);
    }

    /// <summary>The registers from this one on are the key of a member.</summary>
    internal static void IsMemberOf(this ref RequestWriter rule, string set, uint register)
    {
        Nests expression = rule.Begin("lookup");
        rule.PutString(NFTA_LOOKUP_SET, set);
        rule.PutU32(NFTA_LOOKUP_SREG, register);
        rule.End(expression);
    }

    /// <summary>Drops the packet and answers its sender with a reset.</summary>
    internal static void RejectWithTcpReset(this ref RequestWriter rule)
    {
        Nests expression = rule.Begin("reject");
        rule.PutU32(NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
        rule.End(expression);
    }

    internal static void InputInterfaceIs(this ref RequestWriter rule, string name)
    {
        rule.LoadMeta(NFT_META_IIFNAME);
        rule.IsEqual(PaddedName(name));
    }

    internal static void OutputInterfaceIs(this ref RequestWriter rule, string name)
    {
        rule.LoadMeta(NFT_META_OIFNAME);
        rule.IsEqual(PaddedName(name));
    }

    internal static void FamilyIsIPv4(this ref RequestWriter rule) => rule.FamilyIs(NFPROTO_IPV4);

    internal static void FamilyIsIPv6(this ref RequestWriter rule) => rule.FamilyIs(NFPROTO_IPV6);

    /// <summary>Loads bytes of the packet; a rest up to four is zeroed.</summary>
    /// <param name="header">NFT_PAYLOAD_NETWORK_HEADER or NFT_PAYLOAD_TRANSPORT_HEADER.</param>
    internal static void LoadPayload(this ref RequestWriter rule, uint header, int offset, int length, uint register)
    {
        Nests expression = rule.Begin("payload");
        rule.PutU32(NFTA_PAYLOAD_DREG, register);
        rule.PutU32(NFTA_PAYLOAD_BASE, header);
        rule.PutU32(NFTA_PAYLOAD_OFFSET, (uint)offset);
        rule.PutU32(NFTA_PAYLOAD_LEN, (uint)length);
        rule.End(expression);
    }

    /// <summary>TCP, UDP or another protocol with ports at the same place.</summary>
    internal static void DestinationPortIs(this ref RequestWriter rule, ProtocolType protocol, ushort port)
    {
        rule.LoadMeta(NFT_META_L4PROTO);
        rule.IsEqual([(byte)protocol]);
        rule.LoadPayload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(ushort), NFT_REG_1);
        rule.IsEqual([(byte)(port >> 8), (byte)port]);
    }

    /// <summary>Source NAT to the address of the interface by which the packet leaves.</summary>
    internal static void Masquerade(this ref RequestWriter rule) => rule.End(rule.Begin("masq"));

    /// <summary>Destination NAT to one IPv4 address and port.</summary>
    internal static void TranslateDestination(this ref RequestWriter rule, IPEndPoint to)
    {
        rule.Set(NFT_REG_1, to.Address.GetAddressBytes());
        rule.Set(NFT_REG_2, [(byte)(to.Port >> 8), (byte)to.Port]);
        Nests expression = rule.Begin("nat");
        rule.PutU32(NFTA_NAT_TYPE, NFT_NAT_DNAT);
        rule.PutU32(NFTA_NAT_FAMILY, NFPROTO_IPV4);
        rule.PutU32(NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
        rule.PutU32(NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
        rule.End(expression);
    }

    private static void FamilyIs(this ref RequestWriter rule, byte family)
    {
        rule.LoadMeta(NFT_META_NFPROTO);
        rule.IsEqual([family]);
    }

    private static void LoadCt(this ref RequestWriter rule, uint key, uint register)
    {
        Nests expression = rule.Begin("ct");
        rule.PutU32(NFTA_CT_DREG, register);
        rule.PutU32(NFTA_CT_KEY, key);
        rule.End(expression);
    }

    private static void LoadMeta(this ref RequestWriter rule, uint key)
    {
        Nests expression = rule.Begin("meta");
        rule.PutU32(NFTA_META_DREG, NFT_REG_1);
        rule.PutU32(NFTA_META_KEY, key);
        rule.End(expression);
    }

    private static void IsEqual(this ref RequestWriter rule, scoped ReadOnlySpan<byte> value)
    {
        Nests expression = rule.Begin("cmp");
        rule.PutU32(NFTA_CMP_SREG, NFT_REG_1);
        rule.PutU32(NFTA_CMP_OP, NFT_CMP_EQ);
        rule.PutValue(NFTA_CMP_DATA, value);
        rule.End(expression);
    }

    private static void Set(this ref RequestWriter rule, uint register, scoped ReadOnlySpan<byte> value)
    {
        Nests expression = rule.Begin("immediate");
        rule.PutU32(NFTA_IMMEDIATE_DREG, register);
        rule.PutValue(NFTA_IMMEDIATE_DATA, value);
        rule.End(expression);
    }

    private static void PutValue(this ref RequestWriter rule, ushort type, scoped ReadOnlySpan<byte> value)
    {
        int nest = rule.BeginNest(type);
        value.CopyTo(rule.Put(NFTA_DATA_VALUE, value.Length));
        rule.EndNest(nest);
    }

    private static Nests Begin(this ref RequestWriter rule, string name)
    {
        int element = rule.BeginNest(NFTA_LIST_ELEM);
        rule.PutString(NFTA_EXPR_NAME, name);
        return new Nests(element, rule.BeginNest(NFTA_EXPR_DATA));
    }

    private static void End(this ref RequestWriter rule, Nests expression)
    {
        rule.EndNest(expression.Data);
        rule.EndNest(expression.Element);
    }

    private static byte[] PaddedName(string name)
    {
        byte[] padded = new byte[InterfaceNameLength];
        Encoding.UTF8.GetBytes(name, padded.AsSpan(0, InterfaceNameLength - 1));
        return padded;
    }

    private readonly record struct Nests(int Element, int Data);
}
