using System.Diagnostics;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A link between two namespaces whose frames take their time, and that can lose resets: a TAP device at each end, and a thread that
/// carries frames between them in order. netem would do it, but not every kernel has it.
/// </summary>
internal sealed unsafe class DelayingLink : IDisposable
{
    private const int Mtu = 1514, Burst = 64;
    private const int Capacity = 16_384; // frames; more are lost, as in a router

    private readonly TapDevice[] _ends;
    private readonly Queue<(long Due, byte[] Frame)>[] _waiting = [new(), new()];
    private readonly byte[] _buffer = new byte[Mtu];
    private readonly long _delay;
    private readonly Thread _thread;
    private volatile bool _stop;
    private int _toLose;

    /// <param name="near">The one resets are lost on their way to.</param>
    /// <param name="nearDevice">Its device.</param>
    /// <param name="far">The other.</param>
    /// <param name="farDevice">Its device.</param>
    /// <param name="delay">For each way.</param>
    internal DelayingLink(KernelNamespace near, string nearDevice, KernelNamespace far, string farDevice, TimeSpan delay)
    {
        _ends = [new TapDevice(near, nearDevice), new TapDevice(far, farDevice)];
        _delay = (long)(delay.TotalSeconds * Stopwatch.Frequency);
        _thread = new Thread(Carry) { IsBackground = true, Name = "delaying link" };
        _thread.UnsafeStart();
    }

    /// <summary>The next so many resets to the near end get lost.</summary>
    internal void LoseResets(int count) => Volatile.Write(ref _toLose, count);

    /// <summary>Resets yet to be lost.</summary>
    internal int ToLose => Volatile.Read(ref _toLose);

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        Array.ForEach(_ends, static end => end.Dispose());
    }

    private void Carry()
    {
        KitLibc.Pollfd* polled = stackalloc KitLibc.Pollfd[2];
        for (int i = 0; i < 2; i++)
            polled[i] = new KitLibc.Pollfd { Descriptor = (int)_ends[i].Handle.DangerousGetHandle(), Events = KitLibc.POLLIN };
        while (!_stop)
        {
            KitLibc.poll(polled, 2, WaitMilliseconds());
            for (int i = 0; i < 2; i++)
                Take(i);
            long now = Stopwatch.GetTimestamp();
            for (int i = 0; i < 2; i++)
            {
                while (_waiting[i].TryPeek(out (long Due, byte[] Frame) first) && first.Due <= now)
                    _ends[1 - i].Write(_waiting[i].Dequeue().Frame);
            }
        }
    }

    private void Take(int from)
    {
        for (int n = 0; n < Burst && _ends[from].Read(_buffer) is > 0 and int length; n++)
        {
            ReadOnlySpan<byte> frame = _buffer.AsSpan(0, length);
            if (_waiting[from].Count == Capacity)
                continue;
            if (from == 1 && ToLose > 0 && IsReset(frame))
                Interlocked.Decrement(ref _toLose);
            else
                _waiting[from].Enqueue((Stopwatch.GetTimestamp() + _delay, frame.ToArray()));
        }
    }

    /// <summary>Until the next frame is due, at least 1 ms where it is not; at most so long that the end of the test is noticed.</summary>
    private int WaitMilliseconds()
    {
        long due = long.MaxValue;
        foreach (Queue<(long Due, byte[] Frame)> queue in _waiting)
            due = Math.Min(due, queue.TryPeek(out (long Due, byte[] Frame) first) ? first.Due : long.MaxValue);
        long ticks = due == long.MaxValue ? long.MaxValue : due - Stopwatch.GetTimestamp();
        return (int)Math.Clamp(ticks / (Stopwatch.Frequency / 1000), ticks > 0 ? 1 : 0, 50);
    }

    private static bool IsReset(ReadOnlySpan<byte> frame)
    {
        const int Ethernet = 14, Ipv6Header = 40, Flags = 13;
        const byte Tcp = 6, Rst = 4;
        if (frame.Length < Ethernet + 40)
            return false;
        ReadOnlySpan<byte> ip = frame[Ethernet..];
        bool ipv6 = ip[0] >> 4 == 6;
        int header = ipv6 ? Ipv6Header : (ip[0] & 15) * 4;
        return ip[ipv6 ? 6 : 9] == Tcp && ip.Length > header + Flags && (ip[header + Flags] & Rst) != 0;
    }
}
