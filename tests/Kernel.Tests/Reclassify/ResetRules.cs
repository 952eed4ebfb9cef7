using System.Globalization;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// The rules by which a client is told that its connection moves, made with nft: what a connection of the set sends in its original
/// direction is answered by a reset. A reset of the client's own passes, so that it ends the server's side too.
/// </summary>
internal sealed class ResetRules
{
    private const string Table = "resets";

    private const string Text = $$"""
        table inet {{Table}} {
            counter gone { }
            set moved { typeof ct id; flags timeout; counter; }
            chain answer {
                tcp flags & rst != 0 counter name gone accept
                reject with tcp reset
            }
            chain forward {
                type filter hook forward priority -140;
                meta l4proto tcp ct direction original ct id @moved jump answer
            }
            chain output {
                type filter hook output priority -140;
                meta l4proto tcp ct direction original ct id @moved jump answer
            }
        }
        """;

    private readonly KernelNamespace _gateway;

    internal ResetRules(KernelNamespace gateway)
    {
        _gateway = gateway;
        gateway.Rules(Text);
    }

    /// <summary>Resets that clients have sent of themselves: their kernels know the connection no more.</summary>
    internal long Gone => Counter(Json("counter", "gone").GetProperty("counter"));

    /// <summary>Takes a connection in, by the id of its entry.</summary>
    internal void Add(uint id) =>
        _gateway.Exec(
            "nft", "add", "element", "inet", Table, "moved", string.Create(CultureInfo.InvariantCulture, $"{{ {id} timeout 60s }}"));

    /// <summary>Packets answered for the only connection of the set, and resets of its client.</summary>
    internal long Met()
    {
        JsonElement element = Assert.Single(Json("set", "moved").GetProperty("set").GetProperty("elem").EnumerateArray());
        return Counter(element.GetProperty("elem").GetProperty("counter"));
    }

    private static long Counter(JsonElement counter) => counter.GetProperty("packets").GetInt64();

    private JsonElement Json(string kind, string name)
    {
        using JsonDocument answer = JsonDocument.Parse(_gateway.Exec("nft", "-j", "list", kind, "inet", Table, name));
        return answer.RootElement.GetProperty("nftables")[1].Clone();
    }
}
