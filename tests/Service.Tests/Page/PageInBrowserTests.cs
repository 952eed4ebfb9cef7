using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Tests.Api;
using PuppeteerSharp;

namespace ConntrackStream.Service.Tests.Page;

/// <summary>The page in Chromium, over the interface of a live pipeline.</summary>
public sealed class PageInBrowserTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string Token = "0123456789abcdef0123456789abcdef";
    private const string Marker = "<i id=marker>text";

    [Fact]
    public async Task It_shows_the_figures_of_the_status_without_a_complaint_of_the_browser()
    {
        await using LiveApi api = await StartAsync();
        api.Status = () => api.NewStatus() with
        {
            Table = new TableFigures(123_456, 200_000, 17, 0, 0, 0),
            Tap = new TapFigures(1, 2, 3, 0, 41, 1, 0, 0, 99),
        };
        await api.Live.StartAsync(Ports(1, 300));
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0]);
        await tab.UntilLiveAsync();
        await tab.UntilAsync("document.querySelector('#tile-flows .value').textContent === '300'");
        Assert.Equal("62 %", await tab.TextAsync("#tile-table .value"));
        Assert.Equal("123,456 of 200,000; 17 packets dropped since boot", await tab.TextAsync("#tile-table .more"));
        Assert.Equal("41", await tab.TextAsync("#tile-lost .value"));
        Assert.Equal("test", await tab.TextAsync("#where"));
        await tab.UntilAsync("document.querySelectorAll('#charts canvas').length === 4");
        Assert.Empty(tab.Complaints);
    }

    [Theory]
    [InlineData("#/")]
    [InlineData("#/flows")]
    [InlineData("#/flows/ID")]
    public async Task Each_view_is_accessible_and_fits_a_narrow_screen(string hash)
    {
        await using LiveApi api = await StartAsync(static (api, _) => api.HasMap = true);
        api.Status = () => api.NewStatus() with { Modules = Modules() };
        await api.Live.StartAsync(Ports(1, 200));
        await api.Live.WriteAsync(
            FlowEventType.New, LivePipeline.Tuple("2001:db8:1234:5678:9abc:def0:1234:5678", 40_000, "2001:db8::2", 443));
        string id = (await api.GetAsync("/v1/flows?family=ipv6")).Json.GetProperty("flows")[0].GetProperty("flow_id").GetString()!;
        await using Tab tab = await chromium.OpenAsync(
            api.TcpAddresses[0], hash.Replace("ID", id, StringComparison.Ordinal), width: 360, height: 700);
        await tab.UntilLiveAsync();
        await tab.UntilAsync("document.querySelector('#tombstones table, #rows .open[href], #flow-body dl')");
        Assert.Equal(360, await tab.GetAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(await tab.InaccessibleAsync());
        await tab.Page.EmulateMediaFeaturesAsync(
            [new MediaFeatureValue { MediaFeature = MediaFeature.PrefersColorScheme, Value = "dark" }]);
        Assert.Empty(await tab.InaccessibleAsync());
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task A_filter_is_the_servers()
    {
        await using LiveApi api = await StartAsync();
        await api.Live.StartAsync(Ports(1, 300));
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0], "#/flows");
        await tab.UntilAsync("document.getElementById('count').textContent === '300 flows'");
        await tab.Page.FocusAsync("#words");
        await tab.Page.Keyboard.TypeAsync("-p tcp --sport 7,8");
        await tab.PressAsync("Enter");
        await tab.UntilAsync("document.getElementById('count').textContent === '2 flows match'");
        await tab.UntilAsync("document.querySelectorAll('#rows .row:not([hidden]) .open[href]').length === 2");
        Assert.Contains("10.0.0.1:7", await tab.TextAsync("#rows"), StringComparison.Ordinal);
        Assert.Contains(tab.Requests, static path => path.StartsWith("/v1/flows?proto=tcp&sport=7%2C8&limit=", StringComparison.Ordinal));
        Assert.Equal("#/flows?proto=tcp&sport=7%2C8", await tab.GetAsync<string>("location.hash"));
        await tab.GoAsync("#/flows?sport=many");
        await tab.UntilAsync("document.getElementById('words-fault').textContent.includes(\"'many'\")");
        Assert.Equal("true", await tab.GetAsync<string>("document.getElementById('words').getAttribute('aria-invalid')"));
        await tab.GoAsync("#/flows?state=ESTABLISHED"); // the kernel alone knows: the list has no count beforehand
        await tab.UntilAsync("document.getElementById('count').textContent === '0 flows match'");
    }

    [Fact]
    public async Task A_long_list_is_scrolled_to_its_end_with_few_elements_few_pages_and_few_requests()
    {
        const int Flows = 400_000; // at 30 px each more than a browser's tallest element
        await using LiveApi api = await StartAsync();
        await api.Live.FillAsync(Flows);
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0], "#/flows");
        await tab.UntilAsync("document.getElementById('count').textContent === '400,000 flows'");
        await tab.UntilAsync("document.querySelector('#rows .open[href]')");
        HashSet<string> seen = [];
        for (int step = 1; step <= 10; step++) // by the scrollbar
        {
            string before = await tab.GetAsync<string>(
                $"(s => {{ s.scrollTop = (s.scrollHeight - s.clientHeight) * {step} / 10; }})(document.getElementById('scroller')), "
                + "document.getElementById('position').textContent");
            await tab.UntilAsync(
                $"document.getElementById('position').textContent !== '{before}'"
                + " && document.getElementById('scroller').dataset.moving === 'no'"
                + " && [...document.querySelectorAll('#rows .row:not([hidden]) .open')].every(link => link.href)");
            string[] ids = await tab.GetAsync<string[]>(
                "[...document.querySelectorAll('#rows .row:not([hidden]) .open')].map(link => link.href)");
            Assert.Equal(ids.Length, ids.Distinct(StringComparer.Ordinal).Count());
            Assert.All(ids, id => Assert.True(seen.Add(id), $"step {step}: {id} was there before"));
        }

        Assert.EndsWith("to 400,000", await tab.TextAsync("#position"), StringComparison.Ordinal);
        JsonElement last = (await api.GetAsync($"/v1/flows?skip={Flows - 1}")).Json.GetProperty("flows")[0];
        Assert.Contains($"{last.GetProperty("dst").GetString()}:443", await tab.TextAsync("#rows"), StringComparison.Ordinal);
        Assert.Equal("400001", await tab.GetAsync<string>(
            "String(Math.max(...[...document.querySelectorAll('#rows .row:not([hidden])')].map(row => +row.ariaRowIndex)))"));
        Assert.InRange(await tab.GetAsync<int>("document.querySelectorAll('*').length"), 200, 900);
        Assert.InRange(tab.Requests.Count(static path => path.StartsWith("/v1/flows?", StringComparison.Ordinal)), 10, 40);
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task The_keyboard_reaches_every_view_and_moves_in_the_list()
    {
        await using LiveApi api = await StartAsync();
        await api.Live.StartAsync(Ports(1, 300));
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0]);
        await tab.UntilLiveAsync();
        await tab.PressAsync("Tab", "Tab", "Tab", "Enter"); // past "Skip to content" and Overview
        await tab.UntilAsync("document.querySelector('#rows .open[href]') && location.hash === '#/flows'");
        await TabToAsync(tab, "scroller");
        await tab.PressAsync("ArrowDown", "ArrowDown", "ArrowDown");
        Assert.Equal("4", await tab.GetAsync<string>("document.activeElement.closest('[role=row]').ariaRowIndex")); // the head is 1
        await tab.PressAsync("End");
        Assert.Equal("301", await tab.GetAsync<string>("document.activeElement.closest('[role=row]').ariaRowIndex"));
        await tab.UntilAsync("document.activeElement.href");
        await tab.PressAsync("Enter");
        await tab.UntilAsync("document.activeElement.id === 'flow-title'");
        await tab.UntilAsync("document.getElementById('flow-body').textContent.includes('10.0.0.1')");
        await tab.Page.GoBackAsync();
        await tab.UntilAsync("!document.getElementById('flows').hidden && location.hash === '#/flows'");
    }

    [Fact]
    public async Task While_the_service_is_away_the_page_says_so_and_it_goes_on_by_itself()
    {
        ApiSettings? used = null;
        await using LiveApi api = await StartAsync((_, settings) => used = settings);
        await api.Live.StartAsync(Ports(1, 300));
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0], "#/flows");
        await tab.UntilAsync("document.getElementById('count').textContent === '300 flows'");
        await tab.UntilLiveAsync();
        used!.Listen = [api.TcpAddresses[0].Authority]; // the same again
        await api.StopServerAsync();
        await tab.UntilAsync("!document.getElementById('away').hidden");
        Assert.StartsWith("No answer from the service since ", await tab.TextAsync("#away-text"), StringComparison.Ordinal);
        await api.Live.EndAsync(Ports(1, 100));
        await api.StartServerAsync();
        await tab.UntilAsync("document.getElementById('away').hidden");
        await tab.UntilLiveAsync();
        await tab.UntilAsync("document.getElementById('count').textContent === '200 flows'"); // cursors of the run before are of no use
        await tab.UntilAsync("document.querySelectorAll('#rows .row:not([hidden]) .open[href]').length > 10");
    }

    [Fact]
    public async Task Text_from_outside_is_shown_as_it_is()
    {
        await using LiveApi api = await StartAsync();
        api.Status = () => api.NewStatus() with
        {
            Host = Marker,
            NetworkNamespace = Marker,
            Kernel = new KernelFigures(Marker, 0, null, [new SettingFigures(Marker, Marker, Off: true, TimesOff: 1)]),
            Sinks = [new SinkFigures(Marker, 0, 1, 0)],
            Gaps = new Dictionary<string, long>(StringComparer.Ordinal) { [Marker] = 3 },
        };
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0]);
        await tab.UntilAsync("document.getElementById('sinks').textContent.includes('<i id=marker>text')");
        foreach (string place in (string[])["#where", "#findings", "#sinks", "#loss"])
            Assert.Contains(Marker, await tab.TextAsync(place), StringComparison.Ordinal);
        await tab.GoAsync($"#/flows?src={Uri.EscapeDataString(Marker)}");
        await tab.UntilAsync("document.getElementById('words-fault').textContent.includes('<i id=marker>text')");
        await tab.GoAsync($"#/flows/{Uri.EscapeDataString(Marker)}");
        await tab.UntilAsync("document.getElementById('flow-note').textContent.includes('<i id=marker>text')");
        Assert.True(await tab.GetAsync<bool>("document.getElementById('marker') === null"));
    }

    [Fact]
    public async Task With_a_token_configured_the_page_asks_for_it_until_it_is_right()
    {
        await using LiveApi api = await StartAsync(static (api, settings) =>
        {
            settings.TokenFile = api.Directory + "/token";
            File.WriteAllText(settings.TokenFile, Token);
        });
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0]);
        await tab.UntilAsync("document.getElementById('ask-token').open");
        await tab.Page.Keyboard.TypeAsync("wrong");
        await tab.PressAsync("Enter");
        await tab.UntilAsync("document.getElementById('token-fault').textContent === 'The service has refused this token.'");
        await tab.Page.Keyboard.TypeAsync(Token);
        await tab.PressAsync("Enter");
        await tab.UntilLiveAsync();
        Assert.False(await tab.GetAsync<bool>("document.getElementById('ask-token').open"));
        await tab.Page.ReloadAsync();
        await tab.UntilLiveAsync(); // this tab keeps it
    }

    [Fact]
    public async Task A_flows_page_explains_its_translation_and_says_when_it_has_ended()
    {
        await using LiveApi api = await StartAsync();
        FlowTuple original = LivePipeline.Tuple("10.77.0.2", 20_004, "203.0.113.2", 443);
        FlowTuple reply = LivePipeline.Tuple("203.0.113.2", 443, "203.0.113.1", 31_000);
        await api.Live.WriteAsync(FlowEventType.New, (original, reply));
        api.Kernel = static seen =>
        {
            Flow now = seen.Flow;
            now.Present |= FlowFields.Status;
            now.Status = FlowStatus.SeenReply | FlowStatus.SourceNat;
            return now;
        };
        string id = (await api.GetAsync("/v1/flows")).Json.GetProperty("flows")[0].GetProperty("flow_id").GetString()!;
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0], $"#/flows/{id}");
        await tab.UntilAsync("document.getElementById('flow-title').textContent === 'tcp 10.77.0.2:20004 → 203.0.113.2:443'");
        string body = await tab.TextAsync("#flow-body");
        Assert.Contains("Source NAT: packets of 10.77.0.2:20004 leave as 203.0.113.1:31000.", body, StringComparison.Ordinal);
        Assert.Contains("packets were seen in both directions", body, StringComparison.Ordinal);
        api.Kernel = static _ => null;
        await tab.UntilAsync("document.getElementById('flow-note').textContent.startsWith('This flow has ended.')");
    }

    [Fact]
    public async Task The_map_shows_what_is_about_to_be_deleted_and_why()
    {
        await using LiveApi api = await StartAsync(static (api, _) => api.HasMap = true);
        api.Status = () => api.NewStatus() with { Modules = Modules() };
        await using Tab tab = await chromium.OpenAsync(api.TcpAddresses[0]);
        await tab.UntilAsync("document.querySelectorAll('#tombstones tbody tr').length === 2");
        Assert.Contains("audits in a row found no flow", await tab.TextAsync("#tombstones"), StringComparison.Ordinal);
        Assert.Contains("its flow ended: ct id", await tab.TextAsync("#tombstones"), StringComparison.Ordinal);
        Assert.Contains("entries are deleted", await tab.TextAsync("#map-path"), StringComparison.Ordinal);
        Assert.Contains("moved", await tab.TextAsync("#reclassify"), StringComparison.Ordinal);
    }

    private static Task<LiveApi> StartAsync(Action<LiveApi, ApiSettings>? set = null) => LiveApi.StartAsync((api, settings) =>
    {
        settings.Listen = ["127.0.0.1:0"];
        set?.Invoke(api, settings);
    });

    private static Dictionary<string, JsonElement> Modules() => new(StringComparer.Ordinal)
    {
        ["map"] = Json("""
            {"path":"/sys/fs/bpf/map","mode":"delete","id":7,"capacity":1024,"tombstones":2,"armed":1,"observed":0,"without_flow":2,
             "held":0,"has_matched":true,"refused":false,"starving":false,"problem":null,"since_counted_seconds":4.2,
             "last_audit":{"entries":20,"matched":18,"missed":2}}
            """),
        ["reclassify"] = Json("""
            {"mode":"act","misplaced":9,"resets":3,"deleted":1,"remarked":2,"pending":1,"guarded":0,"outcomes":{"moved":5,"looped":0},
             "refused":{"too_young":4,"unknown_path":0}}
            """),
    };

    private static JsonElement Json(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static async Task TabToAsync(Tab tab, string id)
    {
        for (int presses = 0; await tab.GetAsync<string>("document.activeElement.id") != id; presses++)
        {
            Assert.True(presses < 20, $"Tab does not lead to {id}");
            await tab.PressAsync("Tab");
        }
    }

    private static ushort[] Ports(int from, int count) => [.. Enumerable.Range(from, count).Select(static port => (ushort)port)];
}
