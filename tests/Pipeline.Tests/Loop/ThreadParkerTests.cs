using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline.Tests.Loop;

public sealed class ThreadParkerTests
{
    private const int Turns = 200_000;

    [Fact]
    public void A_wake_up_that_comes_before_the_sleep_is_kept_once()
    {
        ThreadParker parker = new();
        parker.Unpark();
        parker.Unpark();
        Thread sleeper = new(() =>
        {
            parker.Park(); // returns at once
            parker.Park();
        })
        { Name = "parker-test" };
        sleeper.Start();
        SpinWait.SpinUntil(static () => IsAsleep("parker-test"));
        Assert.True(sleeper.IsAlive);
        parker.Unpark();
        Assert.True(sleeper.Join(TimeSpan.FromSeconds(30)));
    }

    /// <summary>The kernel shows the thread in futex(2).</summary>
    private static bool IsAsleep(string thread)
    {
        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            if (File.ReadAllText($"{task}/comm").TrimEnd() == thread)
                return File.ReadAllText($"{task}/wchan").StartsWith("futex", StringComparison.Ordinal);
        }

        return false;
    }

    /// <summary>The same with sleeps so short that they end now by themselves and now by the other thread.</summary>
    [Fact]
    public void No_wake_up_is_lost_between_sleeps_that_end_by_themselves()
    {
        ThreadParker here = new();
        int told = 0;
        Thread other = new(() =>
        {
            for (int i = 1; i <= Turns / 10; i++)
            {
                Volatile.Write(ref told, i);
                here.Unpark();
            }
        });
        other.Start();
        while (Volatile.Read(ref told) < Turns / 10)
        {
            here.Park(TimeSpan.FromMicroseconds(20));
            here.Park(TimeSpan.Zero);
        }

        Assert.True(other.Join(TimeSpan.FromSeconds(30)));
        here.Unpark(); // kept, whatever the last sleep ended by
        here.Park();
    }

    /// <summary>Two threads that each wait for the other: one lost wake-up, and they sleep for ever.</summary>
    [Fact]
    public void No_wake_up_is_lost()
    {
        ThreadParker here = new(), there = new();
        int turn = 0;
        Thread other = new(() =>
        {
            for (int i = 0; i < Turns; i++)
            {
                while (Volatile.Read(ref turn) != (2 * i) + 1)
                    there.Park();
                Volatile.Write(ref turn, (2 * i) + 2);
                here.Unpark();
            }
        });
        other.Start();
        for (int i = 0; i < Turns; i++)
        {
            Volatile.Write(ref turn, (2 * i) + 1);
            there.Unpark();
            while (Volatile.Read(ref turn) != (2 * i) + 2)
                here.Park();
        }

        Assert.True(other.Join(TimeSpan.FromSeconds(30)));
    }
}
