using System.Numerics;
using System.Runtime.Intrinsics;

namespace ConntrackStream.Sinks.Archive;

/// <summary>
/// Finds the next place of either of two texts, both in one pass. Of each text it compares the two bytes that are rarest in the file, and
/// the whole text only where both are equal. The framework's search takes bytes that may be the most frequent ones.
/// </summary>
internal sealed unsafe class NeedleFinder
{
    private const int Places = 32; // that are compared at once

    private readonly byte[] _line, _gap;
    private readonly int _lineFirst, _lineSecond, _gapFirst, _gapSecond; // places of the rare bytes in the texts
    private readonly int _reach;

    /// <param name="needles">What to find.</param>
    /// <param name="sample">Bytes of the file.</param>
    internal NeedleFinder(LineNeedles needles, ReadOnlySpan<byte> sample)
    {
        (_line, _gap) = (needles.Line, needles.Gap);
        Span<int> counts = stackalloc int[byte.MaxValue + 1];
        counts.Clear();
        foreach (byte value in sample)
            counts[value]++;
        (_lineFirst, _lineSecond) = Rarest(_line, counts);
        (_gapFirst, _gapSecond) = Rarest(_gap, counts);
        _reach = Math.Max(_line.Length, _gap.Length);
    }

    /// <summary>Place of a needle's first byte, or -1. The empty needle is at once found in all that is not empty.</summary>
    internal int Find(ReadOnlySpan<byte> text)
    {
        if (_line.Length == 0)
            return text.IsEmpty ? -1 : 0;
        int at = 0;
        fixed (byte* begin = text)
        {
            Pair line = new(_line[_lineFirst], _line[_lineSecond]), gap = new(_gap[_gapFirst], _gap[_gapSecond]);
            int lineFirst = _lineFirst, lineSecond = _lineSecond, gapFirst = _gapFirst, gapSecond = _gapSecond;
            for (int last = text.Length - Places - _reach; at <= last; at += Places)
            {
                byte* here = begin + at, half = here + Vector128<byte>.Count;
                Vector128<byte> low = line.At(here + lineFirst, here + lineSecond) | gap.At(here + gapFirst, here + gapSecond);
                Vector128<byte> high = line.At(half + lineFirst, half + lineSecond) | gap.At(half + gapFirst, half + gapSecond);
                if ((low | high) == Vector128<byte>.Zero)
                    continue;
                uint places = low.ExtractMostSignificantBits() | high.ExtractMostSignificantBits() << Vector128<byte>.Count;
                for (; places != 0; places &= places - 1)
                {
                    int place = at + BitOperations.TrailingZeroCount(places);
                    if (text[place..].StartsWith(_line) || text[place..].StartsWith(_gap))
                        return place;
                }
            }
        }

        int nextLine = text[at..].IndexOf(_line), nextGap = text[at..].IndexOf(_gap);
        int next = nextLine < 0 || (nextGap >= 0 && nextGap < nextLine) ? nextGap : nextLine;
        return next < 0 ? -1 : at + next;
    }

    private static (int First, int Second) Rarest(byte[] text, ReadOnlySpan<int> counts)
    {
        int first = 0, second = 0;
        for (int place = 1; place < text.Length; place++)
        {
            if (counts[text[place]] < counts[text[first]])
                (first, second) = (place, first);
            else if (first == second || counts[text[place]] < counts[text[second]])
                second = place;
        }

        return (first, second);
    }

    /// <summary>Two bytes at a distance.</summary>
    private readonly struct Pair(byte first, byte second)
    {
        private readonly Vector128<byte> _first = Vector128.Create(first), _second = Vector128.Create(second);

        /// <summary>All bits of each place where both are.</summary>
        internal Vector128<byte> At(byte* first, byte* second) =>
            Vector128.Equals(Vector128.Load(first), _first) & Vector128.Equals(Vector128.Load(second), _second);
    }
}
