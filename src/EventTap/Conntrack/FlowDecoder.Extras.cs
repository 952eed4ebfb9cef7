using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

public static partial class FlowDecoder
{
    private const int MaxLabelBytes = 16; // NF_CT_LABELS_MAX_SIZE

    private static readonly NameCache Names = new();

    private static FlowExtras Extras(ref Flow flow, FlowBatch batch) => flow.Extras ??= batch.RentExtras();

    /// <summary>The attributes that few flows carry.</summary>
    private static bool ReadExtra(ref AttributeReader attributes, FlowFamily family, ref Flow flow, FlowBatch batch)
    {
        switch (attributes.Type)
        {
            case CTA_TUPLE_MASTER:
                Extras(ref flow, batch).HasMaster = true;
                return ReadTuple(attributes.Nested(), family, ref flow.Extras!.Master);
            case CTA_LABELS:
                return ReadLabels(attributes.Value, Extras(ref flow, batch));
            case CTA_HELP:
                return ReadName(attributes.Nested(), CTA_HELP_NAME, ref Extras(ref flow, batch).Helper);
            case CTA_SECCTX:
                return ReadName(attributes.Nested(), CTA_SECCTX_NAME, ref Extras(ref flow, batch).SecurityContext);
            case CTA_SEQ_ADJ_ORIG:
                return ReadSequence(attributes.Nested(), ref Extras(ref flow, batch).OriginalSequence);
            case CTA_SEQ_ADJ_REPLY:
                return ReadSequence(attributes.Nested(), ref Extras(ref flow, batch).ReplySequence);
            case CTA_SYNPROXY:
                return ReadSynproxy(attributes.Nested(), ref flow, batch);
            default:
                return true;
        }
    }

    /// <summary>CTA_LABELS: an array of long in host order, so bit 0 is in the first byte.</summary>
    private static bool ReadLabels(ReadOnlySpan<byte> value, FlowExtras extras)
    {
        if (value.Length is 0 or > MaxLabelBytes || value.Length % 4 != 0)
            return false;
        Span<byte> labels = stackalloc byte[MaxLabelBytes];
        labels.Clear();
        value.CopyTo(labels);
        extras.Labels = BinaryPrimitives.ReadUInt128LittleEndian(labels);
        extras.HasLabels = true;
        return true;
    }

    /// <summary>The one string in a nest.</summary>
    private static bool ReadName(AttributeReader attributes, ushort type, ref string? name)
    {
        while (attributes.Next())
        {
            if (attributes.Type == type)
                name = Names.Get(attributes.Value.TrimEnd((byte)0));
        }

        return !attributes.Malformed;
    }

    private static bool ReadSequence(AttributeReader attributes, ref SequenceAdjustment adjustment)
    {
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_SEQADJ_CORRECTION_POS:
                    adjustment.CorrectionPosition = attributes.U32();
                    break;
                case CTA_SEQADJ_OFFSET_BEFORE:
                    adjustment.OffsetBefore = (int)attributes.U32();
                    break;
                case CTA_SEQADJ_OFFSET_AFTER:
                    adjustment.OffsetAfter = (int)attributes.U32();
                    break;
                default:
                    break;
            }
        }

        return !attributes.Malformed;
    }

    /// <summary>All zero counts as absent: the kernel shows that for each entry it made by request, synproxy or not.</summary>
    private static bool ReadSynproxy(AttributeReader attributes, ref Flow flow, FlowBatch batch)
    {
        uint isn = 0, its = 0, offset = 0;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_SYNPROXY_ISN:
                    isn = attributes.U32();
                    break;
                case CTA_SYNPROXY_ITS:
                    its = attributes.U32();
                    break;
                case CTA_SYNPROXY_TSOFF:
                    offset = attributes.U32();
                    break;
                default:
                    break;
            }
        }

        if ((isn | its | offset) != 0)
        {
            FlowExtras extras = Extras(ref flow, batch);
            (extras.SynproxyIsn, extras.SynproxyIts, extras.SynproxyTimestampOffset) = (isn, its, offset);
            extras.HasSynproxy = true;
        }

        return !attributes.Malformed;
    }
}
