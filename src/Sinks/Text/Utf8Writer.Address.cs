using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

public ref partial struct Utf8Writer
{
    private const int MaxIPv4Text = 15;
    private const int MaxIPv6Text = 39; // the dotted quad is written by itself

    // "7.", "42.", "255.": each octet's text and a dot, first byte lowest
    private static readonly uint[] Octets = [.. Enumerable.Range(0, 256).Select(OctetText)];

    /// <summary>An address in the form of its tuple's family, as inet_ntop(3) of the GNU C library prints it.</summary>
    public void Address(in IpAddress address, FlowFamily family)
    {
        if (family == FlowFamily.IPv4)
            IPv4((uint)address.Low);
        else
            IPv6(address.High, address.Low);
    }

    /// <summary>Dotted quad; the first octet is the most significant.</summary>
    public void IPv4(uint address)
    {
        if (Free <= MaxIPv4Text)
        {
            IPv4NearEnd(address);
            return;
        }

        Span<byte> free = _buffer.Slice(Position, MaxIPv4Text + 1); // each octet is stored as four bytes, of which two to four count
        int at = Octet(free, 0, address >> 24);
        at = Octet(free, at, address >> 16 & 255);
        at = Octet(free, at, address >> 8 & 255);
        Position += Octet(free, at, address & 255) - 1;
    }

    /// <summary>
    /// RFC 5952: lower case, the first longest run of two or more zero words as <c>::</c>; and as the C library does, the last 32 bits as a
    /// dotted quad after exactly 96 zero bits, and after <c>::ffff:</c>.
    /// </summary>
    public void IPv6(ulong high, ulong low)
    {
        if (Free < MaxIPv6Text + sizeof(uint))
        {
            IPv6NearEnd(high, low);
            return;
        }

        (int start, int length) = HasZeroWord(high) || HasZeroWord(low) ? LongestZeroRun(high, low) : (-1, 0);
        bool dotted = start == 0 && (length == 6 || (length == 5 && (ushort)(low >> 32) == 0xFFFF));
        int words = dotted ? 6 : 8;
        // each word is stored as four bytes, of which one to four count
        Span<byte> free = _buffer.Slice(Position, MaxIPv6Text + sizeof(uint));
        int at = 0;
        for (int i = 0; i < words; i++)
        {
            if (i == start)
            {
                free[at++] = (byte)':';
                free[at++] = (byte)':';
                i += length - 1;
                continue;
            }

            if (i != 0 && i != start + length)
                free[at++] = (byte)':';
            at = Word(free, at, WordAt(high, low, i));
        }

        if (dotted && length == 5)
            free[at++] = (byte)':';
        Position += at;
        if (dotted)
            IPv4((uint)low);
    }

    /// <summary>Whether one of the four words is zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HasZeroWord(ulong words) =>
        (((words & 0x7FFF_7FFF_7FFF_7FFF) + 0x7FFF_7FFF_7FFF_7FFF) | words | 0x7FFF_7FFF_7FFF_7FFF) != ulong.MaxValue;

    /// <summary>Start −1 and length 0 when no run has two words.</summary>
    private static (int Start, int Length) LongestZeroRun(ulong high, ulong low)
    {
        (int Start, int Length) best = (-1, 0);
        int run = 0;
        for (int i = 0; i < 8; i++)
        {
            run = WordAt(high, low, i) == 0 ? run + 1 : 0;
            if (run >= 2 && run > best.Length)
                best = (i - run + 1, run);
        }

        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint WordAt(ulong high, ulong low, int index) => (ushort)((index < 4 ? high : low) >> (48 - (16 * (index & 3))));

    /// <summary>Up to four hexadecimal digits, all at once: one nibble in each byte, first digit lowest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Word(Span<byte> free, int at, uint word)
    {
        uint nibbles = word >> 12 | (word & 0xF00) | (word & 0xF0) << 12 | word << 24 & 0xF000000;
        uint letters = (nibbles + 0x06060606) >> 4 & 0x01010101; // 1 where the digit is over 9
        uint text = nibbles + 0x30303030 + (letters * ('a' - '9' - 1));
        int digits = 4 - (BitOperations.LeadingZeroCount(word | 1) - 16 >> 2);
        BinaryPrimitives.WriteUInt32LittleEndian(free[at..], text >> (8 * (4 - digits)));
        return at + digits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Octet(Span<byte> free, int at, uint octet)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(free[at..], Octets[octet]);
        return at + (octet < 10 ? 2 : octet < 100 ? 3 : 4);
    }

    private static uint OctetText(int octet)
    {
        Span<byte> text = stackalloc byte[4];
        Utf8Writer writer = new(text);
        writer.Number((uint)octet);
        writer.Byte((byte)'.');
        return BinaryPrimitives.ReadUInt32LittleEndian(text);
    }

    private void IPv4NearEnd(uint address)
    {
        Utf8Writer writer = new(stackalloc byte[MaxIPv4Text + 1]);
        writer.IPv4(address);
        Literal(writer.Written);
    }

    private void IPv6NearEnd(ulong high, ulong low)
    {
        Utf8Writer writer = new(stackalloc byte[2 * IpAddress.MaxTextLength]);
        writer.IPv6(high, low);
        Literal(writer.Written);
    }
}
