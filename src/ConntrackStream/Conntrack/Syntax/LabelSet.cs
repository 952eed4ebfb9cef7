using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>Labels of a command line.</summary>
/// <param name="Bits">Those that an entry has room for.</param>
/// <param name="HasMore">There are others: the file of names may have bits from 128 to 1023, which no entry can have.</param>
internal readonly record struct LabelSet(UInt128 Bits, bool HasMore)
{
    private const int Room = 128; // NF_CT_LABELS_MAX_SIZE * 8

    internal LabelSet With(int bit) =>
        bit < Room ? this with { Bits = Bits | (UInt128.One << bit) } : this with { HasMore = true };

    /// <summary>All labels of an entry that has none yet.</summary>
    /// <exception cref="NetlinkException">An entry has no room for them.</exception>
    internal (UInt128 Value, UInt128 Mask) Whole() => !HasMore ? (Bits, UInt128.MaxValue)
        : throw new NetlinkException("setting labels", Errno.ERANGE); // the kernel's answer to more than 16 bytes
}
