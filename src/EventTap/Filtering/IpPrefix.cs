using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>
/// An address block of one family; a lone address is a block of full length. Bits behind the length are zero. A block of a filter may also
/// have a mask with holes (<see cref="WithMask"/>).
/// </summary>
public readonly record struct IpPrefix
{
    /// <param name="length">0 to 32 (IPv4) or 128 (IPv6) bits.</param>
    public IpPrefix(IpAddress address, int length, FlowFamily family)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxLength(family));
        int bits = family == FlowFamily.IPv4 ? length + 96 : length; // IPv4 is the low 32 bits of the 128
        Mask = new IpAddress(HighBits(Math.Min(bits, 64)), HighBits(Math.Max(bits - 64, 0)));
        Network = new IpAddress(address.High & Mask.High, address.Low & Mask.Low);
        Length = (byte)length;
        Family = family;
    }

    private IpPrefix(IpAddress address, IpAddress mask, FlowFamily family)
    {
        Mask = mask;
        Network = new IpAddress(address.High & mask.High, address.Low & mask.Low);
        Family = family;
        int leading = BitOperations.LeadingZeroCount(~mask.High);
        if (leading == 64)
            leading += BitOperations.LeadingZeroCount(~mask.Low);
        if (family == FlowFamily.IPv4)
            leading = BitOperations.LeadingZeroCount(~(uint)mask.Low);
        Length = (byte)leading;
    }

    /// <summary>The first address of the block.</summary>
    public IpAddress Network { get; }

    /// <summary>The bits of an address that count.</summary>
    public IpAddress Mask { get; }

    /// <summary>A keyed hash (<see cref="KeyedHash"/>), another one in each process.</summary>
    public override int GetHashCode() => KeyedHash.Start.Add(Network).Add(Mask).Add((ulong)Family).Code;

    /// <summary>Leading bits that count; all that do, unless the mask has holes.</summary>
    public byte Length { get; }

    private bool HasHoles => Mask != new IpPrefix(Network, Length, Family).Mask;

    /// <summary>IPv4 or IPv6.</summary>
    public FlowFamily Family { get; }

    /// <summary>Whether an address of this family lies in the block.</summary>
    public bool Contains(IpAddress address, FlowFamily family) =>
        family == Family && (address.High & Mask.High) == Network.High && (address.Low & Mask.Low) == Network.Low;

    /// <summary>The addresses that equal this one in the bits of a mask, as <c>conntrack --mask-src</c>.</summary>
    /// <param name="mask">Of the same family, and whole: a mask is an address.</param>
    public IpPrefix WithMask(IpPrefix mask) => new(Network, mask.Network, Family);

    /// <summary>Source or destination of a tuple lies inside.</summary>
    public bool ContainsEitherEnd(in FlowTuple tuple) => Contains(tuple.Source, tuple.Family) || Contains(tuple.Destination, tuple.Family);

    /// <summary>
    /// Reads <c>10.0.0.0/8</c>, <c>192.0.2.1</c>, <c>2001:db8::/32</c>. IPv4 is four decimal numbers, nothing shorter or octal; host bits
    /// are cut off, as conntrack-tools does.
    /// </summary>
    public static bool TryParse(string? text, out IpPrefix prefix, [NotNullWhen(false)] out string? error)
    {
        prefix = default;
        ReadOnlySpan<char> all = text;
        int slash = all.IndexOf('/');
        ReadOnlySpan<char> address = slash < 0 ? all : all[..slash];
        if (!IsPlain(address) || !IPAddress.TryParse(address, out IPAddress? parsed))
        {
            error = $"'{text}' is not an IPv4 or IPv6 address or prefix";
            return false;
        }

        FlowFamily family = parsed.AddressFamily == AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6;
        int max = MaxLength(family);
        int length = max;
        if (slash >= 0 && (!int.TryParse(all[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > max))
        {
            error = $"'{text}': the prefix length must be 0 to {max}";
            return false;
        }

        prefix = new IpPrefix(IpAddress.From(parsed), length, family);
        error = null;
        return true;
    }

    /// <summary>Such as <c>10.0.0.0/8</c>, or with the mask itself where it has holes.</summary>
    public override string ToString() => HasHoles
        ? $"{Network.ToIPAddress(Family)}/{Mask.ToIPAddress(Family)}"
        : string.Create(CultureInfo.InvariantCulture, $"{Network.ToIPAddress(Family)}/{Length}");

    private static int MaxLength(FlowFamily family) => family switch
    {
        FlowFamily.IPv4 => 32,
        FlowFamily.IPv6 => 128,
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "A prefix is IPv4 or IPv6."),
    };

    private static ulong HighBits(int count) => count == 0 ? 0 : ulong.MaxValue << (64 - count);

    // The framework also reads "10.1", "0x7f.1", "010.0.0.1", "[::1]" and scope ids, each as something its writer may not have meant.
    private static bool IsPlain(ReadOnlySpan<char> address)
    {
        if (address.Contains(':'))
            return !address.ContainsAny('%', '[', ']');
        int parts = 0;
        foreach (Range range in address.Split('.'))
        {
            ReadOnlySpan<char> part = address[range];
            if (part.IsEmpty || part.Length > 3 || part.ContainsAnyExceptInRange('0', '9') || (part.Length > 1 && part[0] == '0'))
                return false;
            parts++;
        }

        return parts == 4;
    }
}
