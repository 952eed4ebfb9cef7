using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>Registers: R0 results, R1-R5 arguments (lost by a call), R6-R9 kept, R10 the stack's top.</summary>
internal enum Reg
{
    R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10,
}

/// <summary>Width of a load or store: BPF_W, BPF_H, BPF_B, BPF_DW.</summary>
internal enum Width
{
    Word = 0x00,
    Half = 0x08,
    Byte = 0x10,
    Double = 0x18,
}

/// <summary>Kernel functions a program calls: enum bpf_func_id.</summary>
internal enum Helper
{
    MapLookup = 1, // bpf_map_lookup_elem
    MapUpdate = 2, // bpf_map_update_elem
    KtimeGetNs = 5, // bpf_ktime_get_ns
    SkbLoadBytes = 26, // bpf_skb_load_bytes
}

/// <summary>
/// Writes eBPF instructions (struct bpf_insn: code 8 bits, dst 4, src 4, offset 16, immediate 32), resolving forward jumps by label.
/// </summary>
internal sealed class BpfAssembler
{
    private const Reg PseudoMapFd = Reg.R1; // BPF_PSEUDO_MAP_FD, in the place of a source register

    private readonly List<ulong> _code = [];
    private readonly Dictionary<string, int> _labels = new(StringComparer.Ordinal);
    private readonly List<(int At, string Label)> _jumps = [];

    internal void Set(Reg to, int value) => Emit(0xb7, to, Reg.R0, 0, value); // BPF_ALU64 | BPF_MOV | BPF_K

    internal void Copy(Reg to, Reg from) => Emit(0xbf, to, from, 0, 0); // BPF_ALU64 | BPF_MOV | BPF_X

    internal void Add(Reg to, int value) => Emit(0x07, to, Reg.R0, 0, value); // BPF_ALU64 | BPF_ADD | BPF_K

    internal void And(Reg to, int value) => Emit(0x57, to, Reg.R0, 0, value); // BPF_ALU64 | BPF_AND | BPF_K

    internal void ShiftLeft(Reg to, int bits) => Emit(0x67, to, Reg.R0, 0, bits); // BPF_ALU64 | BPF_LSH | BPF_K

    /// <summary>Network to host order, 16 bits.</summary>
    internal void ToHost16(Reg to) => Emit(0xdc, to, Reg.R0, 0, 16); // BPF_ALU | BPF_END | BPF_TO_BE

    internal void Load(Width width, Reg to, Reg from, int offset) => Emit(0x61 | (int)width, to, from, offset, 0); // BPF_LDX | BPF_MEM

    internal void Store(Width width, Reg to, int offset, Reg from) => Emit(0x63 | (int)width, to, from, offset, 0); // BPF_STX | BPF_MEM

    // BPF_ST | BPF_MEM
    internal void Store(Width width, Reg to, int offset, int value) => Emit(0x62 | (int)width, to, Reg.R0, offset, value);

    internal void AtomicAdd(Reg to, Reg from) => Emit(0xdb, to, from, 0, 0); // BPF_STX | BPF_ATOMIC | BPF_DW, imm BPF_ADD

    internal void Map(Reg to, SafeFileHandle map)
    {
        Emit(0x18, to, PseudoMapFd, 0, (int)map.DangerousGetHandle()); // BPF_LD | BPF_IMM | BPF_DW
        _code.Add(0);
    }

    internal void StackAddress(Reg to, int offset)
    {
        Copy(to, Reg.R10);
        Add(to, offset);
    }

    internal void Call(Helper helper) => Emit(0x85, Reg.R0, Reg.R0, 0, (int)helper); // BPF_JMP | BPF_CALL

    internal void JumpIfEqual(Reg left, int right, string label) => Jump(0x15, left, right, label); // BPF_JMP | BPF_JEQ | BPF_K

    internal void JumpUnlessEqual(Reg left, int right, string label) => Jump(0x55, left, right, label); // BPF_JMP | BPF_JNE | BPF_K

    internal void Jump(string label) => Jump(0x05, Reg.R0, 0, label); // BPF_JMP | BPF_JA

    internal void Return(int value)
    {
        Set(Reg.R0, value);
        Emit(0x95, Reg.R0, Reg.R0, 0, 0); // BPF_JMP | BPF_EXIT
    }

    internal void Label(string label) => _labels.Add(label, _code.Count);

    internal ulong[] Assemble()
    {
        ulong[] code = [.. _code];
        foreach ((int at, string label) in _jumps)
            code[at] |= (ulong)(ushort)(_labels[label] - at - 1) << 16;
        return code;
    }

    private void Jump(int code, Reg left, int right, string label)
    {
        _jumps.Add((_code.Count, label));
        Emit(code, left, Reg.R0, 0, right);
    }

    private void Emit(int code, Reg to, Reg from, int offset, int immediate) =>
        _code.Add((uint)code | ((ulong)to << 8) | ((ulong)from << 12) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)immediate << 32));
}
