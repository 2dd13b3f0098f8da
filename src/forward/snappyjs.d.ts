/** The package ships no types. Block format; a Buffer in gives a Buffer out. */
declare module 'snappyjs' {
  const snappy: {
    compress(uncompressed: Buffer): Buffer;
    /** @throws Error on a malformed block, or one larger than `maxLength` */
    uncompress(compressed: Buffer, maxLength?: number): Buffer;
  };
  export default snappy;
}
