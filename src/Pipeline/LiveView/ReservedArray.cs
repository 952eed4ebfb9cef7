using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Elements outside the managed heap, in one piece that begins a page and never moves. Address space for the most there may be is reserved
/// at first; memory comes zeroed with the first use of a page and goes back with <see cref="Discard"/>. Used by one thread.
/// </summary>
internal sealed unsafe class ReservedArray<T>
    where T : unmanaged
{
    private const nuint Stride = MemoryReservation.HugePage; // bytes that are opened at once
    private const int CacheLine = 64;

    private readonly MemoryReservation _memory;
    private readonly T* _first;
    private readonly nuint _most; // bytes
    private nuint _opened; // bytes
    private volatile byte _touched; // keeps loads from being optimised away

    /// <param name="most">Elements that there may be.</param>
    public ReservedArray(int most)
    {
        _most = ((nuint)most * (nuint)sizeof(T) + Stride - 1) / Stride * Stride;
        _memory = new MemoryReservation(_most);
        _first = (T*)_memory.DangerousGetHandle();
    }

    /// <summary>Elements that may be read and written.</summary>
    public int Length { get; private set; }

    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((uint)index >= (uint)Length)
                ThrowOutside(index);
            return ref _first[index];
        }
    }

    /// <summary>Begins to bring an element into the cache, its first and its last line, and does not wait for them.</summary>
    public void Prefetch(int index)
    {
        if ((uint)index >= (uint)Length)
            return;
        byte* begin = (byte*)(_first + index), last = begin + sizeof(T) - 1;
        if (!Sse.IsSupported) // .NET offers no such instruction of other processors
        {
            _touched += (byte)(*begin + *last);
            return;
        }

        Sse.Prefetch0(begin);
        if (sizeof(T) > CacheLine)
            Sse.Prefetch0(last);
    }

    /// <summary>Makes room for at least so many elements, all of them zero.</summary>
    /// <exception cref="InvalidOperationException">There may not be so many.</exception>
    /// <exception cref="IOException">The kernel promises no more memory.</exception>
    public void GrowTo(int length)
    {
        if (length <= Length)
            return;
        nuint needed = (nuint)length * (nuint)sizeof(T);
        if (needed > _most)
            throw new InvalidOperationException($"the live view is full: it has room for {_most / (nuint)sizeof(T)} flows of a family");
        if (needed > _opened)
        {
            nuint opened = (needed + Stride - 1) / Stride * Stride;
            _memory.Open(_opened, opened - _opened);
            if (_opened > 0) // a small table takes small pages
                _memory.PreferHugePages(_opened, opened - _opened);
            _opened = opened;
        }

        Length = length;
    }

    /// <summary>Zeroes some elements and gives their memory back.</summary>
    /// <param name="from">The first; it begins a page.</param>
    /// <param name="to">After the last; it begins a page, too.</param>
    public void Discard(int from, int to) => _memory.Discard((nuint)from * (nuint)sizeof(T), (nuint)(to - from) * (nuint)sizeof(T));

    [DoesNotReturn]
    private void ThrowOutside(int index) => throw new ArgumentOutOfRangeException(nameof(index), index, $"of {Length} elements");
}
