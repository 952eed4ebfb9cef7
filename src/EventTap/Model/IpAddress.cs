using System.Buffers.Binary;
using System.Net;

namespace ConntrackStream.EventTap.Model;

/// <summary>
/// An address as a 128-bit number in numeric (most significant first) order. IPv4 is <c>(0, a.b.c.d)</c>: the family is told by the
/// tuple that holds it, so that an IPv6 flow to <c>::1.2.3.4</c> is never taken for an IPv4 one.
/// </summary>
public readonly record struct IpAddress(ulong High, ulong Low)
{
    /// <summary>Longest text of an address, in bytes (IPv6 with an embedded IPv4 tail).</summary>
    public const int MaxTextLength = 45;

    /// <summary>A keyed hash (<see cref="KeyedHash"/>), another one in each process.</summary>
    public override int GetHashCode() => KeyedHash.Start.Add(this).Code;

    /// <summary>From 4 bytes in network order.</summary>
    public static IpAddress FromIPv4(ReadOnlySpan<byte> bytes) => new(0, BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>From 16 bytes in network order.</summary>
    public static IpAddress FromIPv6(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));

    /// <summary>From the framework's address; the family goes into the tuple.</summary>
    public static IpAddress From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return length == 4 ? FromIPv4(bytes) : FromIPv6(bytes);
    }

    /// <summary>Writes 4 (IPv4) or 16 (IPv6) bytes in network order; returns how many.</summary>
    public int WriteTo(Span<byte> destination, FlowFamily family)
    {
        if (family == FlowFamily.IPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)Low);
            return 4;
        }

        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
        return 16;
    }

    /// <summary>The framework's address.</summary>
    public IPAddress ToIPAddress(FlowFamily family)
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..WriteTo(bytes, family)]);
    }
}
