using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Model;

/// <summary>Masks over addresses; IPv4 is the low 32 bits.</summary>
internal static class AddressMask
{
    internal static IpAddress Full(FlowFamily family) => OfLength(FullLength(family), family);

    internal static byte FullLength(FlowFamily family) => family == FlowFamily.IPv6 ? (byte)128 : (byte)32;

    internal static IpAddress OfLength(int length, FlowFamily family)
    {
        if (family == FlowFamily.IPv4)
            return new IpAddress(0, (uint)(length == 0 ? 0 : uint.MaxValue << (32 - length)));
        return new IpAddress(
            length == 0 ? 0 : ulong.MaxValue << (64 - Math.Min(length, 64)), length <= 64 ? 0 : ulong.MaxValue << (128 - length));
    }

    internal static IpAddress And(in IpAddress left, in IpAddress right) => new(left.High & right.High, left.Low & right.Low);

    /// <summary>The last address that differs from <paramref name="first"/> in masked bits only.</summary>
    internal static IpAddress Last(in IpAddress first, in IpAddress mask, FlowFamily family) =>
        family == FlowFamily.IPv4
            ? new IpAddress(0, first.Low | ~(uint)mask.Low)
            : new IpAddress(first.High | ~mask.High, first.Low | ~mask.Low);
}
