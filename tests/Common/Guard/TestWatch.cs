using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace ConntrackStream.Tests;

/// <summary>
/// Watches how long each test takes. Over its limit, whatever it waits for, a <see cref="StuckReport"/> is written and the process ends.
/// Fixtures between the tests, and the process's end after the last one, have a limit too.
/// </summary>
internal sealed class TestWatch : IMessageSink
{
    /// <summary>120 s, or what CONNTRACKSTREAM_TEST_LIMIT says, in s: for tests that a benchmark runs at a larger scale.</summary>
    internal static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(
        double.TryParse(Environment.GetEnvironmentVariable("CONNTRACKSTREAM_TEST_LIMIT"), CultureInfo.InvariantCulture, out double limit)
            ? limit
            : 120);

    private const string BetweenTests = "";
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Name, TimeSpan Limit, long Began)> _running = new(StringComparer.Ordinal);
    private readonly IMessageSink _next;
    private readonly Dictionary<string, IXunitTestCase> _cases;

    internal TestWatch(IMessageSink next, IReadOnlyCollection<IXunitTestCase> cases)
    {
        _next = next;
        _cases = cases.ToDictionary(one => one.UniqueID, StringComparer.Ordinal);
        Begin(BetweenTests, "before the first test", DefaultLimit);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Begin(BetweenTests, "the process's end", DefaultLimit);
        // its own: the pool's may all be blocked by what is watched
        new Thread(Watch) { IsBackground = true, Name = "TestWatch" }.UnsafeStart();
    }

    public bool OnMessage(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestStarting test:
                Begin(test.TestUniqueID, test.TestDisplayName, LimitOf(test.TestCaseUniqueID));
                break;
            case ITestFinished test:
                End(test.TestUniqueID);
                break;
            case ITestAssemblyFinished when IsKeptByItsCaller:
                lock (_lock)
                    _running.Clear();
                break;
        }

        return _next.OnMessage(message);
    }

    /// <summary>An IDE's server of tests lives on after a run.</summary>
    private static bool IsKeptByItsCaller
    {
        get
        {
            string[] arguments = Environment.GetCommandLineArgs();
            int server = Array.IndexOf(arguments, "--server");
            return server >= 0 && arguments.ElementAtOrDefault(server + 1) != "dotnettestcli";
        }
    }

    private TimeSpan LimitOf(string testCase)
    {
        if (!_cases.TryGetValue(testCase, out IXunitTestCase? known))
            return DefaultLimit;
        TestTimeLimitAttribute? own = known.TestMethod.Method.GetCustomAttribute<TestTimeLimitAttribute>();
        return (own ?? known.TestClass.Class.GetCustomAttribute<TestTimeLimitAttribute>())?.Limit ?? DefaultLimit;
    }

    private void Begin(string id, string name, TimeSpan limit)
    {
        lock (_lock)
        {
            if (id != BetweenTests)
                _running.Remove(BetweenTests);
            _running[id] = (name, limit, Stopwatch.GetTimestamp());
        }
    }

    private void End(string id)
    {
        lock (_lock)
        {
            if (_running.Remove(id, out (string Name, TimeSpan Limit, long Began) ended) && _running.Count == 0)
                _running[BetweenTests] = ($"after {ended.Name}", DefaultLimit, Stopwatch.GetTimestamp());
        }
    }

    private void Watch()
    {
        using ManualResetEvent never = new(initialState: false);
        while (!never.WaitOne(Interval))
        {
            if (!Debugger.IsAttached && Overdue() is var (name, limit, began))
                StuckReport.WriteAndExit(name, Stopwatch.GetElapsedTime(began), limit);
        }
    }

    private (string Name, TimeSpan Limit, long Began)? Overdue()
    {
        lock (_lock)
        {
            foreach ((string Name, TimeSpan Limit, long Began) one in _running.Values)
            {
                if (Stopwatch.GetElapsedTime(one.Began) > one.Limit)
                    return one;
            }

            return null;
        }
    }
}
