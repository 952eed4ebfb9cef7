using System.Globalization;
using System.Runtime.CompilerServices;

namespace ConntrackStream.Sinks.Text;

public ref partial struct Utf8Writer
{
    private static ReadOnlySpan<byte> DigitPairs =>
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"u8
        + "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"u8;

    private static ReadOnlySpan<byte> HexDigits => "0123456789abcdef"u8;

    /// <summary>In decimal, without leading zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Number(uint value)
    {
        if (value.TryFormat(_buffer[Position..], out int written, default, CultureInfo.InvariantCulture))
            Position += written;
        else
            Overflow();
    }

    /// <inheritdoc cref="Number(uint)"/>
    public void Number(ulong value)
    {
        if (value.TryFormat(_buffer[Position..], out int written, default, CultureInfo.InvariantCulture))
            Position += written;
        else
            Overflow();
    }

    /// <inheritdoc cref="Number(uint)"/>
    public void Number(long value)
    {
        if (value < 0)
            Byte((byte)'-');
        Number(value < 0 ? 0 - (ulong)value : (ulong)value);
    }

    /// <summary>In decimal with exactly <paramref name="digits"/> digits, such as a fraction; higher digits are cut off.</summary>
    public void Padded(uint value, int digits)
    {
        if (!Reserve(digits))
            return;
        WriteDigits(_buffer.Slice(Position, digits), value);
        Position += digits;
    }

    /// <summary>In lower-case hexadecimal, without leading zeros.</summary>
    public void Hex(uint value)
    {
        int count = value == 0 ? 1 : (35 - System.Numerics.BitOperations.LeadingZeroCount(value)) >> 2;
        if (!Reserve(count))
            return;
        for (int i = count - 1; i >= 0; i--, value >>= 4)
            _buffer[Position + i] = HexDigits[(int)(value & 15)];
        Position += count;
    }

    /// <summary>
    /// In lower-case hexadecimal with exactly <paramref name="digits"/> digits, such as a UUID's groups; higher digits are cut off.
    /// </summary>
    public void PaddedHex(ulong value, int digits)
    {
        if (!Reserve(digits))
            return;
        for (int i = digits - 1; i >= 0; i--, value >>= 4)
            _buffer[Position + i] = HexDigits[(int)(value & 15)];
        Position += digits;
    }

    /// <summary>Fills the whole span from its end, leading zeros included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteDigits(Span<byte> digits, uint value)
    {
        int at = digits.Length;
        while (at >= 2)
        {
            uint rest = value / 100;
            int pair = (int)(value - (rest * 100)) * 2;
            value = rest;
            digits[--at] = DigitPairs[pair + 1];
            digits[--at] = DigitPairs[pair];
        }

        if (at == 1)
            digits[0] = (byte)('0' + (value % 10));
    }
}
