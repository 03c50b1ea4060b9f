/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's only script: the values below the pointer, or below a cursor that arrow keys move, in
 * words beneath the chart. Without it nothing is missing but that. It has no less-than sign and no
 * ampersand, so that the page is well-formed as XML too.
 */
#include "reports/html_parts.h"

const char *const html_script[] = {
    "(function(){'use strict';",
    "function ms(us){var v=us/1000;return v>=1000?(v/1000).toFixed(3)+' s':",
    "v>=1?v.toFixed(1)+' ms':v.toFixed(2)+' ms';}",
    "function words(b,k,d){var from=d.from+k*d.bin,s=from.toFixed(d.digits)+' to '+",
    "(from+d.bin).toFixed(d.digits)+' s: ';",
    "s+=b[0]+' good, '+b[1]+' bad'+(b[2]>0?', '+b[2]+' not known':'');",
    "if(b.length>5)s+=b[0]===1?'; latency '+ms(b[3]):'; latency median '+ms(b[3])+', p99 ",
    "'+ms(b[4])+",
    "', at most '+ms(b[5]);",
    "if(b[1]>0)s+='; first failure: '+d.results[b[b.length-1]];return s;}",
    "function wire(p){",
    "var d=JSON.parse(p.getAttribute('data-series')),cursor=p.querySelector('.cursor'),",
    "area=p.querySelector('.in'),out=p.parentNode.querySelector('.readout'),at=-1;",
    "var hint=out.textContent,n=d.bins.length;",
    "function show(k){at=Math.max(0,Math.min(n-1,k));",
    "var x=((d.from+(at+0.5)*d.bin-d.lo)/(d.hi-d.lo)*100)+'%';",
    "cursor.setAttribute('x1',x);cursor.setAttribute('x2',x);",
    "p.classList.add('on');out.textContent=words(d.bins[at],at,d);}",
    "function hide(){p.classList.remove('on');out.textContent=hint;at=-1;}",
    "function move(e){var r=area.getBoundingClientRect();",
    "var t=d.lo+(e.clientX-r.left)/r.width*(d.hi-d.lo);show(Math.floor((t-d.from)/d.bin));}",
    "p.addEventListener('pointermove',move);p.addEventListener('pointerdown',move);",
    "p.addEventListener('pointerleave',hide);p.addEventListener('blur',hide);",
    "p.addEventListener('keydown',function(e){",
    "var step={ArrowLeft:-1,ArrowRight:1,PageUp:-10,PageDown:10}[e.key];",
    "if(step)show(at+step);else if(e.key==='Home')show(0);else if(e.key==='End')show(n-1);",
    "else if(e.key==='Escape')hide();else return;e.preventDefault();});}",
    "Array.prototype.forEach.call(document.querySelectorAll('.plot[data-series]'),wire);",
    "window.addEventListener('beforeprint',function(){",
    "Array.prototype.forEach.call(document.querySelectorAll('details'),",
    "function(e){e.setAttribute('open','');});});",
    "})();",
    NULL,
};
