using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Classify;

/// <summary>Addresses of one family from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
public readonly record struct AddressRange(FlowFamily Family, IpAddress First, IpAddress Last)
{
    /// <summary>Every address of the family.</summary>
    public static AddressRange All(FlowFamily family) => new(
        family, default, family == FlowFamily.IPv6 ? new IpAddress(ulong.MaxValue, ulong.MaxValue) : new IpAddress(0, uint.MaxValue));

    public override int GetHashCode() => KeyedHash.Start.Add(First).Add(Last).Add((ulong)Family).Code;

    public bool Contains(IpAddress address) => Compare(First, address) <= 0 && Compare(address, Last) <= 0;

    /// <summary>Numeric order.</summary>
    public static int Compare(IpAddress left, IpAddress right) =>
        left.High != right.High ? left.High.CompareTo(right.High) : left.Low.CompareTo(right.Low);
}
