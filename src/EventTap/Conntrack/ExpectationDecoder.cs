using System.Diagnostics.CodeAnalysis;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// Decodes the messages of NFNL_SUBSYS_CTNETLINK_EXP: rows, answers and events. Known attributes must have exactly the length the kernel
/// gives them, unknown ones are skipped; the expected tuple must be there.
/// </summary>
public static class ExpectationDecoder
{
    private const ushort ExpNew = Nfnl.NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW;
    private const ushort ExpDelete = Nfnl.NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_DELETE;

    /// <summary>Reads one whole message, header included.</summary>
    /// <param name="type">What it says as an event; a row of a dump looks like <see cref="FlowEventType.Update"/>.</param>
    /// <returns>False: malformed, or another message.</returns>
    public static bool TryRead(ReadOnlySpan<byte> message, out FlowEventType type, [NotNullWhen(true)] out Expectation? expectation)
    {
        type = default;
        expectation = null;
        if (!MessageHeader.TryRead(message, out MessageHeader header) || header.Type is not (ExpNew or ExpDelete)
            || message.Length < Nlmsg.HeaderLength + Nfnl.HeaderLength)
            return false;
        type = header.Type == ExpDelete ? FlowEventType.Destroy
            : (header.Flags & Nlmsg.NLM_F_CREATE) != 0 ? FlowEventType.New : FlowEventType.Update;
        FlowFamily family = (FlowFamily)message[Nlmsg.HeaderLength]; // nfgen_family
        return family is FlowFamily.IPv4 or FlowFamily.IPv6
            && TryRead(new AttributeReader(message[(Nlmsg.HeaderLength + Nfnl.HeaderLength)..]), family, out expectation);
    }

    private static bool TryRead(AttributeReader attributes, FlowFamily family, [NotNullWhen(true)] out Expectation? expectation)
    {
        Expectation read = new();
        bool hasTuple = false;
        expectation = null;
        while (attributes.Next())
        {
            FlowTuple tuple = default;
            if (attributes.Type is CTA_EXPECT_TUPLE or CTA_EXPECT_MASK or CTA_EXPECT_MASTER
                && !FlowDecoder.ReadTuple(attributes.Nested(), family, ref tuple))
                return false;
            hasTuple |= attributes.Type == CTA_EXPECT_TUPLE;
            read = attributes.Type switch
            {
                CTA_EXPECT_TUPLE => read with { Tuple = tuple },
                CTA_EXPECT_MASK => read with { Mask = tuple, HasMask = true },
                CTA_EXPECT_MASTER => read with { Master = tuple, HasMaster = true },
                CTA_EXPECT_TIMEOUT => read with { Timeout = attributes.U32() },
                CTA_EXPECT_ID => read with { Id = attributes.U32() },
                CTA_EXPECT_ZONE => read with { Zone = attributes.U16() },
                CTA_EXPECT_FLAGS => read with { Flags = (ExpectationFlags)attributes.U32() },
                CTA_EXPECT_CLASS => read with { Class = attributes.U32() },
                CTA_EXPECT_HELP_NAME => read with { Helper = Text(attributes.Value) },
                CTA_EXPECT_FN => read with { Function = Text(attributes.Value) },
                _ => read,
            };
        }

        if (attributes.Malformed || !hasTuple)
            return false;
        expectation = read;
        return true;
    }

    private static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));
}
